"""What an operator does with an identity service: moves it, reloads it, has it send messages by a
program of their own; and who may read what it writes."""

import pathlib
import re
import shutil
import threading

import pytest

from identity_world import V1
from mail_world import FORM, MailWorld, form
from mini import plain_build
from trinity import eventually

NUMBER, LOCAL = "4915112345678", "015112345678"
ALLOWED = {"countries": {"allow": ["DE"]}, "originators": [{"country": "default", "from": ["Tri"]}]}


@pytest.fixture
def make(request, story):
    """make(configuration): a service with a relay, not started."""
    worlds = []

    def make_one(configuration=None, **more):
        worlds.append(MailWorld(story.directory / str(len(worlds)), configuration, **more))
        request.node.trinity_story = worlds[-1].story
        return worlds[-1]

    yield make_one
    for world in worlds:
        world.end()


def prove(world, client, address):
    """A validated session of this address."""
    mine = world.validation(client, address).asked()
    assert mine.submit(mine.token).json == {"success": True}
    return mine


def found(world, address):
    reply = world.anybody.get(f"{V1}/lookup?medium=email&address={address}")
    return reply.json.get("mxid")


def public_key(world):
    return world.anybody.get("/pubkey/ed25519:0").json["public_key"]


# ---- backup and restore


def elsewhere(world, directory):
    """The same service, with everything that it writes in another directory."""
    key = directory / "identity.key"
    made = world.story.identity({**world.identity.configuration, "keys": {"signing_file": str(key)}})
    directory.mkdir()
    made.configuration.update(
        listen=[{"address": "127.0.0.1", "port": made.plain.port}],
        admin=f"unix:{made.directory}/admin", data_directory=str(directory / "data"),
    )
    made.admin = made.admin_listener()
    made.write_configuration()
    return made


def test_a_service_is_moved_to_another_place_while_it_serves(make, tmp_path):
    world = make().start()
    ann = world.sign_in("@ann:hs.test")
    prove(world, ann, "ann@example.org").bind("@ann:hs.test")
    key, failures, done = public_key(world), [], threading.Event()

    def ask():
        while not done.is_set():
            if found(world, "ann@example.org") != "@ann:hs.test":
                failures.append(world.identity.log_tail(5))

    asker = threading.Thread(target=ask)
    asker.start()
    taken = world.identity.command("backup", tmp_path / "backup")
    done.set()
    asker.join()
    assert taken.returncode == 0 and failures == [], taken.stderr
    world.identity.stop()

    world.identity = ann.identity = world.anybody.identity = elsewhere(world, tmp_path / "other")
    restored = world.identity.command("restore", tmp_path / "backup")
    assert restored.returncode == 0, restored.stderr
    world.identity.start()
    assert public_key(world) == key
    assert found(world, "ann@example.org") == "@ann:hs.test"
    assert ann.get("/account").json == {"user_id": "@ann:hs.test"}


# ---- reload


def test_what_a_service_takes_over_and_what_waits_for_a_restart(make):
    world = make().start()
    world.sign_in("@ann:hs.test")
    documents = [{"id": "privacy", "version": "1", "languages": [
        {"language": "en", "name": "Privacy", "url": "https://example.org/privacy"}]}]
    world.identity.reload(
        terms={"documents": documents}, server_name="other.test",
        endpoints={"off": ["v1_lookup"]}, public_base_url="https://other.test",
        sms={"gateway": "command", "command": ["/bin/true"], **ALLOWED},
    )
    eventually(lambda: "the configuration is reloaded" in world.identity.log())
    waiting = re.findall(r'waits for a restart key="([\w.]+)"', world.identity.log())
    assert sorted(waiting) == ["endpoints", "public_base_url", "server_name", "sms.command"]
    assert world.anybody.get("/terms").json["policies"]["privacy"]["version"] == "1"


def test_a_relay_is_exchanged_by_a_reload_but_not_taken_away(make):
    world = make().start()
    ann = world.sign_in("@ann:hs.test")
    world.validation(ann, "first@example.org").asked().mail()
    mail = dict(world.identity.configuration["mail"])
    world.identity.reload(mail={**mail, "from": "Other name <other@example.org>"})
    eventually(lambda: "the configuration is reloaded" in world.identity.log())
    second = world.validation(ann, "second@example.org").asked().mail()
    assert "Other name" in second.text or "Other name" in str(second.message["From"])
    world.identity.reload(mail={})
    eventually(lambda: 'waits for a restart key="mail.relay"' in world.identity.log())
    world.validation(ann, "third@example.org").asked().mail()


def test_a_password_that_cannot_be_read_leaves_the_old_one_in_use(make, tmp_path):
    world = make().start()
    ann = world.sign_in("@ann:hs.test")
    mail = dict(world.identity.configuration["mail"])
    world.identity.reload(mail={**mail, "user": "x", "password_file": str(tmp_path / "none")})
    eventually(lambda: f"{tmp_path}/none" in world.identity.log())
    world.validation(ann, "ann@example.org").asked().mail()


# ---- messages by a program of the operator's


@pytest.fixture
def plain(monkeypatch):
    """Programs without sanitizers: these have no sandbox."""
    monkeypatch.setenv("TRINITY_BUILD", str(plain_build()))


def send_by(world, directory, body):
    """The service sends by this shell script."""
    program = directory / "bin" / "send"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    command = [str(program), "{{ to }}", "{{ from }}"]
    world.identity.configuration["sms"] = {"gateway": "command", "command": command, **ALLOWED}
    world.identity.write_configuration()
    return program


def ask_for_code(world):
    reply = world.anybody.post(f"{V1}/validate/msisdn/requestToken", form({
        "country": "DE", "phone_number": LOCAL, "client_secret": "s3cret", "send_attempt": 1,
    }), headers=FORM)
    return reply


def test_a_program_sends_a_code_from_inside_the_sandbox(make, tmp_path, plain):
    world = make()
    data = pathlib.Path(world.identity.configuration["data_directory"])
    send_by(world, tmp_path, f'echo "$@" >{data}/sent && cat >>{data}/sent')
    world.start()
    reply = ask_for_code(world)
    assert reply.status == 200, reply
    to, _, text = (data / "sent").read_text().partition("\n")
    assert to == f"{NUMBER} Tri"
    (code,) = re.findall(r"\b\d{6}\b", text)
    proved = world.anybody.post(f"{V1}/validate/msisdn/submitToken", form({
        "sid": reply.json["sid"], "client_secret": "s3cret", "token": code}), headers=FORM)
    assert proved.json == {"success": True}


def test_a_program_in_the_sandbox_finds_no_door(make, tmp_path, plain):
    world = make()
    data = pathlib.Path(world.identity.configuration["data_directory"])
    (tmp_path / "secret").write_text("of somebody else\n")
    send_by(world, tmp_path, f"""
        cat {tmp_path}/secret >{data}/read 2>/dev/null
        echo x >{tmp_path}/written 2>/dev/null
        mount -t tmpfs none {data} 2>/dev/null && echo mounted >{data}/mounted
        echo done >{data}/done""")
    world.start()
    if not world.identity.admin.request("GET", "/admin/v1/status").json["sandbox"]["landlock_abi"]:
        pytest.skip("the kernel has no Landlock")
    ask_for_code(world)
    assert (data / "done").read_text() == "done\n"
    assert (data / "read").read_text() == ""
    assert not (tmp_path / "written").exists() and not (data / "mounted").exists()


def test_a_program_that_a_reload_names_waits_for_a_restart(make, tmp_path, plain):
    world = make().start()
    data = pathlib.Path(world.identity.configuration["data_directory"])
    send_by(world, tmp_path, f"cat >{data}/sent")
    assert world.identity.command("reload").returncode == 0
    assert re.search('waits for a restart .*key="sms.command"', world.identity.log())
    assert ask_for_code(world).status == 400
    world.identity.restart()
    assert ask_for_code(world).status == 200
    assert (data / "sent").exists()


def test_a_sandboxed_service_reads_its_files_again(make, tmp_path, plain):
    world = make()
    texts, key = tmp_path / "texts", pathlib.Path(world.identity.configuration["keys"]["signing_file"])
    (texts / "default" / "en").mkdir(parents=True)
    (texts / "default" / "en" / "verification.subject").write_text("From us\n")
    world.identity.configuration["templates"] = {"directory": str(texts)}
    world.identity.write_configuration()
    world.start()
    ann = world.sign_in("@ann:hs.test")
    assert world.validation(ann, "ann@example.org").asked().mail().subject == "From us"
    before = public_key(world)
    assert world.identity.command("key", "rotate").returncode == 0
    assert world.identity.command("reload").returncode == 0
    assert prove(world, ann, "bob@example.org").bind("@ann:hs.test").json["signatures"]
    assert public_key(world) == before and key.stat().st_mode & 0o777 == 0o600
    assert world.identity.command("backup", tmp_path / "backup").returncode == 0
    world.identity.restart()
    assert "ERROR" not in world.identity.log() and " error " not in world.identity.log()


# ---- who may read what


def test_what_a_service_writes_is_for_its_owner_only(make):
    world = make().start()
    prove(world, world.sign_in("@ann:hs.test"), "ann@example.org").bind("@ann:hs.test")
    data = pathlib.Path(world.identity.configuration["data_directory"])
    written = [data, *data.rglob("*"),
               pathlib.Path(world.identity.configuration["keys"]["signing_file"])]
    assert [str(path) for path in written if path.stat().st_mode & 0o077] == []


def test_no_secret_and_nobodys_address_is_in_logs_or_metrics(make, tmp_path):
    world = make({"log": {"level": "debug"}, "http": {"trusted_proxies": ["127.0.0.1"]}})
    data = pathlib.Path(world.identity.configuration["data_directory"])
    send_by(world, tmp_path, f"cat >{data}/sent; exit 1")
    world.start()
    ann = world.sign_in("@ann:hs.test")
    mine = prove(world, ann, "Ann.Private@example.org")
    mine.bind("@ann:hs.test")
    ask_for_code(world)
    found(world, "ann.private@example.org")
    world.anybody.get(f"/hash_details?access_token={ann.token}",
                      headers={"X-Forwarded-For": "203.0.113.77"})
    world.anybody.get("/validate/email/submitToken?sid=x&client_secret=wr0ng&token=t0ken")
    world.sink.mood = None
    done = [world.identity.command(*words) for words in (
        ("key", "list"), ("key", "rotate"), ("reload",), ("status",), ("--check",))]
    assert [one.returncode for one in done] == [0] * len(done), done
    metrics = world.identity.admin.request("GET", "/metrics").body.decode()
    world.identity.stop()
    told = "".join([world.identity.log(), metrics, *(one.stdout + one.stderr for one in done)])
    code = re.search(r"\d{6}", (data / "sent").read_text())[0]
    secrets = [ann.token, mine.token, mine.secret, code, "wr0ng", "t0ken", "203.0.113.77",
               "ann.private", "Ann.Private", NUMBER, LOCAL]
    assert [secret for secret in secrets if secret in told] == []
    shutil.rmtree(tmp_path / "bin")
