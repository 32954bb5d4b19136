"""A department with connected systems, asked without a network in between."""

import json
from urllib.parse import quote

from django.test import Client

from plainview.pipeline.destination_intake import take_in_container
from plainview.pipeline.destinations import Connection, make_connection
from simulators.axis_system import headers
from simulators.custody_rows import START, SYSTEM, ask
from simulators.premises import make_intake


class Department:
    """What its tests need: the installation, and a system that was connected to it."""

    def __init__(self, installation):
        self.installation = installation
        self.intake = make_intake(installation)
        self.number = 0

    def connect(self, **wanted):
        """Connect one more system; return what asks for it."""
        self.number += 1
        asked = {"name": f"Station {self.number}", "addresses": ["http://localhost"]} | wanted
        return System(make_connection(self.installation, Connection(**asked), actor=SYSTEM, now=START))

    def take_in(self):
        """Do the jobs that wait, once."""
        waiting = ask(
            "SELECT id, args->>'key' FROM procrastinate_jobs "
            "WHERE status = 'todo' AND task_name = 'plainview.take_in_container' ORDER BY id"
        )
        for job, key in waiting:
            ask(f"DELETE FROM procrastinate_jobs WHERE id = {job} RETURNING id")
            take_in_container(self.intake, int(key))
        return len(waiting)


class System:
    """Asks as a connected system does, with Django's own client."""

    def __init__(self, file):
        self.connection = json.loads(file)
        self.client = Client(SERVER_NAME="localhost")
        self.account = self.connection["BlobAPIUserName"]
        self.token = None

    def sign_in(self, key=None, user=None):
        given = {
            "X-Auth-User": self.account if user is None else user,
            "X-Auth-Key": self.connection["BlobAPIKey"] if key is None else key,
        }
        answer = self.client.get("/auth/v1.0", headers=given)
        if answer.status_code == 200:
            self.token = answer["X-Auth-Token"]
        return answer

    def ask(self, method, *names, data=b"", account=None, raw=None, **more):
        if self.token is None:
            self.sign_in()
        path = raw or "/".join(["/v1", account or self.account, *(quote(name) for name in names)])
        given = {"X-Auth-Token": self.token} | more.get("headers", {})
        return self.client.generic(method, path, data, content_type="application/octet-stream", headers=given)

    def put(self, container, sent, **more):
        given = headers("X-Object-Meta-", sent.metadata) | more
        return self.ask("PUT", container, sent.name, data=sent.data, headers=given).status_code

    def begin(self, pressed):
        given = headers("X-Container-Meta-", pressed.metadata)
        return self.ask("PUT", pressed.name, headers=given).status_code

    def complete(self, pressed):
        given = {"X-Container-Meta-Status": "Complete"}
        return self.ask("POST", pressed.name, headers=given).status_code

    def hand_in(self, pressed):
        said = [self.begin(pressed), *(self.put(pressed.name, sent) for sent in pressed.objects)]
        return [*said, self.complete(pressed)]
