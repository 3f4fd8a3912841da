"""Calls each operation of the official Python SDK on messages, batches, files, skills and models.

Reads BURSAR_URL and BURSAR_API_KEY from the environment. Prints one line for each failed check, and then `N passed, M failed`. An
operation of the SDK without a check fails too.
"""

import io
import os
import sys
import time
import traceback
import zipfile

import anthropic
from anthropic._resource import SyncAPIResource

CLIENT = anthropic.Anthropic(api_key=os.environ["BURSAR_API_KEY"], base_url=os.environ["BURSAR_URL"], max_retries=0)
BATCH_END_SECONDS = 30
PAUSE_SECONDS = 0.25
QUESTION = {
    "model": "claude-sonnet-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Hello, Claude"}],
}
SKILL_FILES = [("count-words/SKILL.md", b"---\nname: count-words\ndescription: Counts words.\n---\n", "text/markdown")]


def list_operations(resource, prefix):
    names = [name for name in dir(type(resource)) if not name.startswith("_")]
    for name in names:
        value = getattr(resource, name)
        if isinstance(value, SyncAPIResource):
            yield from list_operations(value, f"{prefix}{name}.")
        elif callable(value) and not name.startswith("with_"):
            yield prefix + name


def ids_of(page):
    return [each.id for each in page]


def fails(expected, call):
    try:
        call()
    except expected:
        return True
    return False


def wait_for_end(batches, batch_id):
    end = time.monotonic() + BATCH_END_SECONDS
    while time.monotonic() < end:
        batch = batches.retrieve(batch_id)
        if batch.processing_status == "ended":
            return batch
        time.sleep(PAUSE_SECONDS)
    raise AssertionError("the batch did not end")


def delete_batch(batches, batch_id):
    """A server may meter the results of an ended batch first, and answers 409 until then."""
    end = time.monotonic() + BATCH_END_SECONDS
    while True:
        try:
            return batches.delete(batch_id)
        except anthropic.ConflictError:
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE_SECONDS)


def make_message_checks(messages):
    def stream():
        with messages.stream(**QUESTION) as events:
            return events.get_final_message()

    def count_tokens():
        counted = {name: value for name, value in QUESTION.items() if name != "max_tokens"}
        return messages.count_tokens(**counted).input_tokens == messages.create(**QUESTION).usage.input_tokens

    return {
        "messages.create": lambda: messages.create(**QUESTION).content[0].type == "text",
        "messages.parse": lambda: messages.parse(**QUESTION).content[0].type == "text",
        "messages.stream": lambda: stream().usage.output_tokens > 0,
        "messages.count_tokens": count_tokens,
    }


def make_batch_checks(batches):
    def create(model=QUESTION["model"]):
        params = {**QUESTION, "model": model}
        return batches.create(requests=[{"custom_id": name, "params": params} for name in ("one", "two")])

    def create_ended():
        return wait_for_end(batches, create().id)

    def cancel():
        batch = create("simulate-hang")
        return batches.cancel(batch.id).processing_status == "canceling" and wait_for_end(batches, batch.id).request_counts.canceled == 2

    def results():
        lines = list(batches.results(create_ended().id))
        tiers = {line.result.message.usage.service_tier for line in lines}
        return sorted(line.custom_id for line in lines) == ["one", "two"] and tiers == {"batch"}

    return {
        "messages.batches.create": lambda: create().results_url is None,
        "messages.batches.retrieve": lambda: create_ended().request_counts.succeeded == 2,
        "messages.batches.list": lambda: create().id in ids_of(batches.list(limit=2)),
        "messages.batches.cancel": cancel,
        "messages.batches.results": results,
        "messages.batches.delete": lambda: delete_batch(batches, create_ended().id).type == "message_batch_deleted",
    }


def make_file_checks(files):
    def upload():
        return files.upload(file=("downloadable.csv", b"a,b\n", "text/csv"))

    def delete():
        file = upload()
        is_deleted = files.delete(file.id).type == "file_deleted"
        return is_deleted and fails(anthropic.NotFoundError, lambda: files.retrieve_metadata(file.id))

    return {
        "files.upload": lambda: upload().size_bytes == 4,
        "files.list": lambda: upload().id in ids_of(files.list(limit=2)),
        "files.retrieve_metadata": lambda: files.retrieve_metadata(upload().id).filename == "downloadable.csv",
        "files.download": lambda: files.download(upload().id).read() == b"a,b\n",
        "files.delete": delete,
    }


def make_skill_checks(skills):
    versions = skills.versions

    def create():
        return skills.create(files=SKILL_FILES)

    def delete():
        skill = create()
        is_deleted = skills.delete(skill.id).type == "skill_deleted"
        return is_deleted and fails(anthropic.NotFoundError, lambda: skills.retrieve(skill.id))

    def list_versions():
        skill = create()
        return ids_of(versions.list(skill.id, limit=1)) == [skill.latest_version_id]

    def retrieve_version():
        skill = create()
        return versions.retrieve(skill.latest_version_id, skill_id=skill.id).name == "count-words"

    def delete_version():
        skill = create()
        versions.create(skill.id, files=SKILL_FILES)
        return versions.delete(skill.latest_version_id, skill_id=skill.id).type == "skill_version_deleted"

    def download():
        skill = create()
        archive = versions.download(skill.latest_version_id, skill_id=skill.id).read()
        return zipfile.ZipFile(io.BytesIO(archive)).namelist() == ["count-words/SKILL.md"]

    checks = {
        "skills.create": lambda: create().source.type == "custom",
        "skills.retrieve": lambda: skills.retrieve(create().id).display_name == "count-words",
        "skills.list": lambda: create().id in ids_of(skills.list(limit=2)),
        "skills.delete": delete,
        "skills.versions.create": lambda: versions.create(create().id, files=SKILL_FILES).type == "skill_version",
        "skills.versions.retrieve": retrieve_version,
        "skills.versions.list": list_versions,
        "skills.versions.delete": delete_version,
    }
    return {**checks, "skills.versions.download": download} if hasattr(versions, "download") else checks


def make_model_checks(models):
    return {
        "models.list": lambda: len(ids_of(models.list(limit=5))) > 15,
        "models.retrieve": lambda: models.retrieve("claude-sonnet-5").id == "claude-sonnet-5",
    }


def make_checks(part):
    return {
        **make_message_checks(part.messages),
        **make_batch_checks(part.messages.batches),
        **make_file_checks(part.files),
        **make_skill_checks(part.skills),
        **make_model_checks(part.models),
    }


def run_tools():
    cities = []

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        cities.append(city)
        return f"sunny in {city}"

    question = {**QUESTION, "messages": [{"role": "user", "content": "Use get_weather."}]}
    final = CLIENT.beta.messages.tool_runner(tools=[get_weather], **question).until_done()
    return cities == ["sample city"] and "sunny in sample city" in final.content[0].text


def continue_thread():
    params = {name: value for name, value in QUESTION.items() if name != "messages"}
    thread = CLIENT.beta.messages.thread(**params)
    first = thread.send({"role": "user", "content": "Hello"})
    second = thread.send({"role": "user", "content": "How are you?"})
    return second.usage.input_tokens > first.usage.input_tokens


checks = {
    **make_checks(CLIENT),
    **{f"beta.{name}": check for name, check in make_checks(CLIENT.beta).items()},
    "beta.messages.tool_runner": run_tools,
    "beta.messages.thread": continue_thread,
}
operations = [
    name
    for prefix, part in (("", CLIENT), ("beta.", CLIENT.beta))
    for resource in ("messages", "files", "skills", "models")
    for name in list_operations(getattr(part, resource), f"{prefix}{resource}.")
]

passed = 0
failed = 0
for name in sorted({*operations, *checks}):
    try:
        is_passed = name in operations and checks[name]()
    except Exception:
        traceback.print_exc()
        is_passed = False
    if not is_passed:
        print(f"FAILED  {name}")
    passed += bool(is_passed)
    failed += not is_passed
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
