"""Media: what people upload is there for who may see it, in the shape in which it came, and is
never run in anybody's browser."""

import hashlib
import pathlib
import resource
import threading

import pytest

from homeserver_world import SERVER, V1, refused
from trinity import eventually

UPLOAD = "/_matrix/media/v3/upload"
CREATE = "/_matrix/media/v1/create"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
CONFIGURATION = {"media": {"max_upload_mb": 1, "pending_max": 2}}


@pytest.fixture
def ann(home, request):
    return home.user(f"m{hashlib.md5(request.node.name.encode()).hexdigest()[:12]}")


def upload(user, content, kind="image/png", name=None, status=200):
    """The id of what was uploaded."""
    path = UPLOAD + (f"?filename={name}" if name is not None else "")
    reply = user.post(path, content, headers={"Content-Type": kind} if kind else {})
    assert reply.status == status, reply
    return reply.json["content_uri"].removeprefix(f"mxc://{SERVER}/") if status == 200 else reply


def create(user):
    reply = user.post(CREATE)
    assert reply.status == 200, reply
    return reply.json["content_uri"].removeprefix(f"mxc://{SERVER}/")


def download(user, media_id, rest="", server=SERVER, **headers):
    return user.get(f"{V1}/media/download/{server}/{media_id}{rest}", headers=headers)


def files(home):
    data = pathlib.Path(home.homeserver.configuration["data_directory"])
    return {path.name for path in (data / "media").rglob("*") if path.is_file()}


def spooled(home):
    return list((pathlib.Path(home.homeserver.configuration["data_directory"]) / "spool").iterdir())


# ---- up and down


def test_a_picture_comes_back_as_it_was(ann):
    media_id = upload(ann, PNG, name="cat.png")
    got = download(ann, media_id)
    assert (got.status, got.body) == (200, PNG)
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["Content-Disposition"] == 'inline; filename="cat.png"'
    assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert got.headers["Content-Security-Policy"].startswith("sandbox;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    assert "immutable" in got.headers["Cache-Control"]


def test_no_bytes_at_all_are_media_too(ann):
    got = download(ann, upload(ann, b"", kind=None))
    assert (got.status, got.body) == (200, b"")
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"] == "attachment"


def test_strangers_get_nothing(home, ann):
    media_id = upload(ann, PNG)
    refused(download(home.anybody, media_id), 401, "M_MISSING_TOKEN")
    refused(home.anybody.post(UPLOAD, PNG), 401, "M_MISSING_TOKEN")
    refused(home.anybody.post(CREATE), 401, "M_MISSING_TOKEN")


def test_what_is_new_needs_a_token(home, ann):
    media_id = upload(ann, PNG)
    for path in (f"download/{SERVER}/{media_id}", f"download/{SERVER}/{media_id}/cat.png",
                 f"thumbnail/{SERVER}/{media_id}?width=32&height=32"):
        refused(home.anybody.get(f"/_matrix/media/v3/{path}"), 404, "M_NOT_FOUND")


def test_what_is_older_than_the_freeze_needs_none(make_home):
    home = make_home({"media": {"frozen_from": "2999-01-01"}}).start()
    media_id = upload(home.user("ann"), PNG, name="cat.png")
    got = home.anybody.get(f"/_matrix/media/v3/download/{SERVER}/{media_id}")
    assert got.status == 200 and got.body == PNG
    assert got.headers["Content-Security-Policy"].startswith("sandbox;")


def test_another_name_may_be_chosen(ann):
    got = download(ann, upload(ann, PNG, name="cat.png"), rest="/dog%20%22x%22.png")
    assert got.headers["Content-Disposition"] == 'inline; filename="dog \\"x\\".png"'


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf", "text/xml"])
def test_what_browsers_run_is_an_attachment(ann, kind):
    got = download(ann, upload(ann, b"<script>alert(1)</script>", kind=kind))
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name, shown", [
    ("..%2F..%2Fx", 'filename="x"'), ("a%0D%0ASet-Cookie:%20x", 'filename="aSet-Cookie: x"'),
    ("cat%E2%80%AEgnp.exe", 'filename="catgnp.exe"'), ("%2E%2E", None),
    ("k%C3%A4tzchen.png", "filename*=utf-8''k%C3%A4tzchen.png"), ("x" * 10000, "x" * 255),
])
def test_names_are_made_harmless(ann, name, shown):
    got = download(ann, upload(ann, PNG, name=name))
    disposition = got.headers["Content-Disposition"]
    assert "Set-Cookie" not in got.headers
    assert disposition == "inline" if shown is None else shown in disposition
    assert len(disposition) < 300


@pytest.mark.parametrize("media_id", ["a%2Fb", "x" * 1024, "none", "a%20b", "-"])
def test_what_was_never_uploaded_is_not_found(ann, media_id):
    refused(download(ann, media_id), 404, "M_NOT_FOUND")


@pytest.mark.parametrize("server", ["..%2F..%2Fetc", "a%20b", "[::g]", "other.test", "x" * 300])
def test_names_of_servers_lead_nowhere_else(ann, server):
    refused(download(ann, "abc", server=server), 404, "M_NOT_FOUND")


@pytest.mark.parametrize("path", ["..", "%2e%2e"])
def test_dots_are_no_path(ann, path):
    refused(download(ann, path), 400, "M_INVALID_PARAM")


# ---- sizes


def test_the_limit_is_told_and_holds(home, ann):
    assert ann.get(f"{V1}/media/config").json == {"m.upload.size": 1 << 20}
    assert ann.get("/_matrix/media/v3/config").json == {"m.upload.size": 1 << 20}
    media_id = upload(ann, b"x" * (1 << 20))
    assert len(download(ann, media_id).body) == 1 << 20
    refused(upload(ann, b"x" * ((1 << 20) + 1), status=413), 413, "M_TOO_LARGE")
    eventually(lambda: spooled(home) == [])


def test_the_limit_holds_for_who_does_not_say_how_much_comes(home, ann):
    def pieces(size):
        head = (f"POST {UPLOAD} HTTP/1.1\r\nHost: {SERVER}\r\nAuthorization: Bearer {ann.token}"
                "\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        rest = size % 0x8000
        last = b"%x\r\n" % rest + b"x" * rest + b"\r\n" if rest else b""
        return head + chunk * (size // 0x8000) + last + b"0\r\n\r\n"

    assert home.homeserver.plain.raw_request(pieces(1 << 20)).json["content_uri"]
    refused(home.homeserver.plain.raw_request(pieces((1 << 20) + 1)), 413, "M_TOO_LARGE")
    eventually(lambda: spooled(home) == [])


def test_quotas_hold_for_uploads_at_the_same_time(make_home):
    home = make_home({"media": {"user_max_files": 2}}).start()
    ann, replies = home.user("ann"), []
    threads = [threading.Thread(target=lambda n=n: replies.append(
        ann.post(UPLOAD, b"%d" % n).status)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(replies) == [200] * 2 + [403] * 8
    assert len(files(home)) == 2


def test_quotas_hold_for_each_user(make_home):
    home = make_home({"media": {"user_max_files": 2, "user_max_mb": 1}}).start()
    ann, bob = home.user("ann"), home.user("bob")
    upload(ann, b"1" * 900_000)
    refused(upload(ann, b"2" * 900_000, status=403), 403, "M_FORBIDDEN")
    upload(ann, b"2")
    refused(upload(ann, b"3", status=403), 403, "M_FORBIDDEN")
    upload(bob, b"3")
    assert len(files(home)) == 3


def test_the_same_bytes_take_room_once(home, ann):
    content = b"the same" * 1000
    first, second = upload(ann, content), upload(ann, content)
    assert first != second
    digest = hashlib.sha256(content).hexdigest()
    assert digest[2:] in files(home)
    for media_id in (first, second):
        assert home.homeserver.admin.request(
            "DELETE", f"/admin/v1/media/{SERVER}/{media_id}").status == 200
    assert digest[2:] not in files(home)


# ---- parts


def test_a_part_is_sent_if_one_is_wanted(ann):
    media_id = upload(ann, PNG)
    got = download(ann, media_id, Range="bytes=10-19")
    assert (got.status, got.body) == (206, PNG[10:20])
    assert got.headers["Content-Range"] == f"bytes 10-19/{len(PNG)}"
    assert download(ann, media_id, Range="bytes=-5").body == PNG[-5:]
    assert download(ann, media_id, Range=f"bytes={len(PNG) - 3}-").body == PNG[-3:]


def test_a_part_that_is_not_there_is_refused(ann):
    media_id = upload(ann, PNG)
    for wrong in ("bytes=9-1", f"bytes={len(PNG)}-", "bytes=x"):
        refusal = download(ann, media_id, Range=wrong)
        refused(refusal, 416, "M_UNKNOWN")
        assert refusal.headers["Content-Range"] == f"bytes */{len(PNG)}"


def test_many_parts_are_the_whole(ann):
    media_id = upload(ann, PNG)
    many = "bytes=" + ",".join(f"{i}-{i}" for i in range(1000))
    for several in (many, "bytes=0-1,3-4", "pages=1-2"):
        got = download(ann, media_id, Range=several)
        assert (got.status, got.body) == (200, PNG)


def test_what_a_browser_has_is_not_sent_again(ann):
    media_id = upload(ann, PNG)
    etag = download(ann, media_id).headers["ETag"]
    again = download(ann, media_id, **{"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    part = download(ann, media_id, **{"If-None-Match": etag, "Range": "bytes=9-1"})
    assert part.status == 304 and "Content-Range" not in part.headers
    other = download(ann, media_id, **{"Range": "bytes=0-1", "If-Range": '"another"'})
    assert other.status == 200


def test_the_head_of_media_tells_their_size(ann):
    media_id = upload(ann, PNG)
    got = ann.request("HEAD", f"{V1}/media/download/{SERVER}/{media_id}")
    assert got.status == 200 and got.headers["Content-Length"] == str(len(PNG))


# ---- later


def put(user, media_id, content, server=SERVER):
    return user.put(f"{UPLOAD}/{server}/{media_id}", content, headers={"Content-Type": "image/png"})


def test_content_may_come_after_its_id(ann):
    media_id = create(ann)
    refused(download(ann, media_id, rest="?timeout_ms=0"), 504, "M_NOT_YET_UPLOADED")
    assert put(ann, media_id, PNG).json == {}
    assert download(ann, media_id).body == PNG
    refused(put(ann, media_id, b"other"), 409, "M_CANNOT_OVERWRITE_MEDIA")
    assert download(ann, media_id).body == PNG


def test_who_waits_gets_the_content_when_it_comes(home, ann):
    media_id, got = create(ann), []
    waiting = threading.Thread(target=lambda: got.append(download(ann, media_id)))
    waiting.start()
    eventually(lambda: home.metrics()["homeserver_http_parked"])
    put(ann, media_id, PNG)
    waiting.join(30)
    assert got[0].status == 200 and got[0].body == PNG


def test_who_waits_for_too_long_is_told(ann):
    refused(download(ann, create(ann), rest="?timeout_ms=100"), 504, "M_NOT_YET_UPLOADED")


def test_an_id_is_for_who_made_it(home, ann):
    media_id = create(ann)
    refused(put(home.user("media-thief"), media_id, PNG), 403, "M_FORBIDDEN")
    refused(put(ann, "never-made", PNG), 404, "M_NOT_FOUND")
    refused(put(ann, media_id, PNG, server="other.test"), 404, "M_NOT_FOUND")
    assert put(ann, media_id, PNG).status == 200


def test_nobody_has_too_many_ids_that_wait(ann):
    for _ in range(2):
        create(ann)
    refused(ann.post(CREATE), 429, "M_LIMIT_EXCEEDED")


def test_nobody_uploads_too_fast(make_home):
    world = make_home({"limits": {"media_uploads": {"per_minute": 60, "burst": 2}}}).start()
    ann, bob = world.user("ann"), world.user("bob")
    create(ann)
    upload(ann, PNG)
    for stopped in (ann.post(CREATE), ann.post(UPLOAD, PNG), put(ann, "never-made", PNG)):
        refused(stopped, 429, "M_LIMIT_EXCEEDED")
        assert 0 < stopped.json["retry_after_ms"] <= 1000
        assert stopped.headers["Retry-After"] == "1"
    upload(bob, PNG)
    assert ann.get("/account/whoami").status == 200


# ---- smaller pictures


def test_a_picture_is_its_own_thumbnail(ann):
    media_id = upload(ann, PNG)
    path = f"{V1}/media/thumbnail/{SERVER}/{media_id}"
    assert ann.get(f"{path}?width=96&height=96&method=crop").body == PNG
    for size in ("width=0&height=1", "width=-1&height=1", "width=1000000000&height=1",
                 "width=1&height=1&method=melt", "width=x&height=1"):
        refused(ann.get(f"{path}?{size}"), 400, "M_INVALID_PARAM")
    refused(ann.get(f"{path}?width=1"), 400, "M_MISSING_PARAM")


def test_other_things_have_none(ann):
    media_id = upload(ann, b"<svg/>", kind="image/svg+xml")
    refused(ann.get(f"{V1}/media/thumbnail/{SERVER}/{media_id}?width=9&height=9"), 400,
            "M_UNKNOWN")


# ---- the operator


def admin(home, method, path, body=None):
    return home.homeserver.admin.request(method, f"/admin/v1/{path}", body)


def test_the_operator_sees_who_has_what(home, ann):
    media_id = upload(ann, PNG, name="cat.png")
    seen = admin(home, "GET", f"media/{SERVER}/{media_id}").json
    assert (seen["user"], seen["size"], seen["filename"]) == (ann.id, len(PNG), "cat.png")
    listed = admin(home, "GET", f"users/{ann.id}/media").json
    assert listed["files"] == 1 and listed["bytes"] == len(PNG)
    assert [one["media_id"] for one in listed["media"]] == [media_id]


def test_quarantine_hides_every_copy(home, ann):
    content = b"something bad" * 99
    first, second = upload(ann, content), upload(ann, content)
    assert admin(home, "PUT", f"media/{SERVER}/{first}/quarantine", {}).status == 200
    for media_id in (first, second, upload(ann, content)):
        refused(download(ann, media_id), 404, "M_NOT_FOUND")
    assert admin(home, "PUT", f"media/{SERVER}/{first}/quarantine",
                 {"quarantined": False}).status == 200
    assert download(ann, second).body == content


def test_uploads_and_removals_of_the_same_bytes_at_once_lose_nothing(home, ann):
    content, kept = b"wanted by many" * 200, []

    def come_and_go(number):
        for i in range(12):
            media_id = upload(ann, content)
            if (i + number) % 3 == 0:
                kept.append(media_id)
            else:
                assert admin(home, "DELETE", f"media/{SERVER}/{media_id}").status == 200

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(kept) == 20
    assert all(download(ann, media_id).body == content for media_id in kept)
    for media_id in kept:
        admin(home, "DELETE", f"media/{SERVER}/{media_id}")
    assert hashlib.sha256(content).hexdigest()[2:] not in files(home)


def test_the_same_by_commands(home, ann):
    def command(*words):
        done = home.homeserver.command("media", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    ids = [upload(ann, b"%d" % i) for i in range(3)]
    listed = command("list", ann.id)
    assert listed.count("mxc://") == 3 and listed.endswith("3 files, 3 bytes\n")
    assert ann.id in command("show", f"mxc://{SERVER}/{ids[0]}")
    command("quarantine", ids[0])
    refused(download(ann, ids[0]), 404, "M_NOT_FOUND")
    command("release", ids[0])
    command("remove", ids[1])
    refused(download(ann, ids[1]), 404, "M_NOT_FOUND")
    assert download(ann, ids[0]).status == 200
    assert home.homeserver.command("media", "show", "none").returncode == 1
    assert home.homeserver.command("media", "dance").returncode == 2


# ---- what happens to machines


def test_media_outlive_a_kill(make_home):
    home = make_home({}).start()
    ann = home.user("ann")
    media_id = upload(ann, PNG)
    home.homeserver.kill()
    data = pathlib.Path(home.homeserver.configuration["data_directory"])
    (data / "spool" / "body-left").write_bytes(b"x")
    orphan = data / "media" / "ab" / ("cd" * 31)
    orphan.write_bytes(b"x")
    home.homeserver.start()
    assert download(ann, media_id).body == PNG
    eventually(lambda: not orphan.exists())
    assert spooled(home) == []


def test_a_backup_has_the_media(make_home, tmp_path):
    home = make_home({}).start()
    ann = home.user("ann")
    media_id = upload(ann, PNG)
    done = home.homeserver.command("backup", tmp_path / "backup")
    assert done.returncode == 0, done.stderr
    home.homeserver.stop()
    data = pathlib.Path(home.homeserver.configuration["data_directory"])
    for name in ("store", "media"):
        (data / name).rename(tmp_path / name)
    restored = home.homeserver.command("restore", tmp_path / "backup")
    assert restored.returncode == 0, restored.stderr
    home.homeserver.start()
    assert download(ann, media_id).body == PNG


def test_a_full_disk_is_said(make_home):
    """As far as the process is concerned: a file may not grow any more."""
    home = make_home({}).start()
    ann = home.user("ann")
    upload(ann, PNG)
    resource.prlimit(home.homeserver.process.pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    refused(upload(ann, b"x" * (2 << 20), status=403), 403, "M_RESOURCE_LIMIT_EXCEEDED")
    assert spooled(home) == []
