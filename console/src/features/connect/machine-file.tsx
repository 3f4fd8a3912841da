import {
  type MachineSystem,
  machineFiles,
  makeLoginSettings,
  writeMachineFile,
} from "@bursar/contract/claude-code-file.ts";
import { Download } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Section } from "../../ui/page.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { Segments } from "../../ui/tabs.tsx";

const systems = Object.keys(machineFiles) as MachineSystem[];

/** The file that leads Claude Code to this server, and a command that writes it. */
export function MachineFile({ origin }: { origin: string }) {
  const [system, setSystem] = useState(findOwnSystem);
  const path = machineFiles[system];
  const text = writeMachineFile(makeLoginSettings(origin));
  return (
    <Section
      title="Machine file"
      lead="Each laptop needs this file once. An administrator writes it, or device management distributes it. Claude Code then accepts no API keys on the laptop."
    >
      <div>
        <Segments
          label="System"
          value={system}
          options={systems.map((each) => [each, each])}
          onChange={setSystem}
        />
      </div>
      <div className="grid gap-1.5">
        <p className="text-sm break-words text-quiet">{path}</p>
        <CodeBlock what="file" text={text} />
      </div>
      <div>
        <Button
          onClick={() =>
            saveFile(new Blob([text], { type: "application/json" }), "managed-settings.json")
          }
        >
          <Download size={15} /> Download file
        </Button>
      </div>
      <div className="grid gap-1.5">
        <p className="text-sm text-quiet">
          A clone of Bursar writes the file with a command. Other settings in the file stay.
        </p>
        <CodeBlock what="command" text={writeCommand(system, origin)} />
      </div>
    </Section>
  );
}

function findOwnSystem(): MachineSystem {
  if (navigator.userAgent.includes("Windows")) return "Windows";
  return navigator.userAgent.includes("Mac OS") ? "macOS" : "Linux";
}

function writeCommand(system: MachineSystem, origin: string): string {
  const command = `claude-code install --url ${origin}`;
  return system === "Windows" ? `node bursar ${command}` : `sudo ./bursar ${command}`;
}
