import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import { useEffect } from "react";
import { useObservable } from "../observable.ts";
import { IconButton } from "./button.tsx";
import { NoticeList } from "./notice-list.tsx";
import { toastQueue } from "./toast.ts";

const toasts = Toast.createToastManager();

/** Shows the notices and the toasts of the queue. */
export function ToastStack() {
  const queue = useObservable(toastQueue);
  useEffect(() => {
    if (queue.length === 0) return;
    for (const { title, description } of queue) {
      toasts.add({ title, ...(description !== undefined && { description }) });
    }
    toastQueue.set([]);
  }, [queue]);
  return (
    <Toast.Provider toastManager={toasts} timeout={5_000}>
      <Toast.Portal>
        {/* Above dialogs and below menus, so that an open menu can be used. */}
        <Toast.Viewport className="fixed right-4 bottom-4 z-55 grid w-[min(24rem,calc(100vw-2rem))] gap-2">
          <NoticeList />
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  return Toast.useToastManager().toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="rounded-lg border border-line bg-raised shadow-popup transition-all duration-200 data-ending-style:opacity-0 data-limited:hidden data-starting-style:translate-y-3 data-starting-style:opacity-0"
    >
      <Toast.Content className="flex items-start gap-3 py-2.5 pr-2 pl-4">
        <div className="flex-1 pt-1 text-sm">
          <Toast.Title className="font-medium" render={<p />} />
          <Toast.Description className="text-quiet" />
        </div>
        <Toast.Close render={<IconButton label="Dismiss" />}>
          <X size={15} />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
