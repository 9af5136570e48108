# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A small iSCSI target (RFC 7143) on 127.0.0.1 that carries commands to one logical unit, LUN 0.

Sessions of one connection, error recovery level 0, no authentication and no digests. A command is carried out when all
of its data is there, and before the next PDU of its connection is looked at: there is never a task to abort.
"""

import socket
import socketserver
import threading

from login import Login, Parameters
from pdu import FINAL, NO_TAG, Opcode, Pdu, format_text, parse_text, read_pdu
from unit import TARGET_RESET, UNIT_RESET

NAME = "iqn.2026-01.org.example:wnbd"
WINDOW = 64  # commands that an initiator may have under way

# Task management functions (11.5.1), and what is answered (11.6.1).
ABORT_TASK, ABORT_TASK_SET, CLEAR_ACA, CLEAR_TASK_SET, LUN_RESET, WARM_RESET, COLD_RESET = range(1, 8)
DONE, NO_TASK, NO_LUN, NOT_SUPPORTED = 0, 1, 2, 5

READS, WRITES = 0x40, 0x20  # of a command
UNDERFLOW = 0x02  # of a response
CHECK_CONDITION = 2
NO_LUN_SENSE = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x25, 0, 0, 0, 0, 0])  # 05/25/00
LOST_DATA_SENSE = bytes([0x70, 0, 0xB, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x47, 5, 0, 0, 0, 0])  # 0B/47/05
INQUIRY, REPORT_LUNS = 0x12, 0xA0


class Task:
    """A command whose data is still coming."""

    def __init__(self, command):
        self.command = command
        self.data = bytearray(command.data)
        self.expected = command.get(20)
        self.next_number = 0
        self.is_broken = False

    def add(self, pdu):
        """DataSN and the offset count up within a burst, and nothing comes twice (11.7)."""
        self.is_broken |= pdu.get(36) != self.next_number or pdu.get(40) != len(self.data)
        self.next_number += 1
        self.data += pdu.data


class Connection(socketserver.StreamRequestHandler):
    """One connection, which is a session."""

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tasks = {}
        self.status_number = 1
        self.expected_command = None
        self.parameters = Parameters()
        self.is_open = True

    def handle(self):
        login = Login(self.parameters)
        try:
            while self.is_open:
                pdu = read_pdu(self.rfile)
                if not login.is_done:
                    self.login(login, pdu)
                elif self.is_in_window(pdu):
                    self.full_feature(pdu)
        except (EOFError, ConnectionError):
            pass

    # ---- Numbers (4.2.2) ----

    def is_in_window(self, pdu):
        """Counts a command. One whose number is out of the window is ignored."""
        if pdu.is_immediate or pdu.opcode == Opcode.DATA_OUT:
            return True
        if (pdu.get(24) - self.expected_command) % 2**32 >= WINDOW:
            return False
        self.expected_command = (pdu.get(24) + 1) % 2**32
        return True

    def send(self, pdu, takes_number=True):
        pdu.put(24, self.status_number)
        if takes_number:
            self.status_number += 1
        pdu.put(28, self.expected_command)
        pdu.put(32, self.expected_command + WINDOW - 1)
        self.wfile.write(pdu.encode())

    # ---- Everything but commands ----

    def login(self, login, pdu):
        self.expected_command = pdu.get(24) if self.expected_command is None else self.expected_command
        response = login.answer(pdu)
        self.send(response)
        self.is_open = response.header[36] == 0

    def full_feature(self, pdu):
        handlers = {
            Opcode.COMMAND: self.command,
            Opcode.DATA_OUT: self.data_out,
            Opcode.NOP_OUT: self.nop,
            Opcode.TASK_MANAGEMENT: self.task_management,
            Opcode.TEXT: self.text,
            Opcode.LOGOUT: self.logout,
        }
        handlers.get(pdu.opcode, self.reject)(pdu)

    def nop(self, pdu):
        if pdu.tag != NO_TAG:
            response = Pdu.make(Opcode.NOP_IN, FINAL, pdu.tag, pdu.data)
            response.put(20, NO_TAG)
            self.send(response)

    def text(self, pdu):
        """SendTargets (appendix C)."""
        pairs = []
        if "SendTargets" in parse_text(pdu.data):
            host, port = self.server.server_address
            pairs = [("TargetName", NAME), ("TargetAddress", f"{host}:{port},1")]
        response = Pdu.make(Opcode.TEXT_RESPONSE, FINAL, pdu.tag, format_text(pairs))
        response.put(20, NO_TAG)
        self.send(response)

    def logout(self, pdu):
        self.send(Pdu.make(Opcode.LOGOUT_RESPONSE, FINAL, pdu.tag))
        self.is_open = False

    def reject(self, pdu):
        response = Pdu.make(Opcode.REJECT, FINAL, NO_TAG, bytes(pdu.header))
        response.header[2] = 5  # command not supported
        self.send(response)

    def task_management(self, pdu):
        function = pdu.flags & 0x7F
        response = Pdu.make(Opcode.TASK_MANAGEMENT_RESPONSE, FINAL, pdu.tag)
        response.header[2] = self.manage(function, pdu)
        self.send(response)

    def manage(self, function, pdu):
        if function in (ABORT_TASK, LUN_RESET) and pdu.lun != bytes(8):
            return NO_LUN
        if function == ABORT_TASK:
            return DONE if self.tasks.pop(pdu.get(20), None) else NO_TASK
        if function not in (LUN_RESET, WARM_RESET, COLD_RESET):
            return NOT_SUPPORTED
        self.tasks.clear()
        self.server.unit.reset(UNIT_RESET if function == LUN_RESET else TARGET_RESET)
        if function == COLD_RESET:
            self.is_open = False  # all connections end; there is no other whose tasks it could be about
        return DONE

    # ---- Commands ----

    def command(self, pdu):
        task = Task(pdu)
        if not pdu.flags & WRITES or len(task.data) >= task.expected:
            self.execute(task)
            return
        self.tasks[pdu.tag] = task
        if pdu.flags & FINAL:  # else there is more that was not asked for
            self.ask_for_data(task)

    def data_out(self, pdu):
        task = self.tasks.get(pdu.tag)
        if task is None:
            return
        task.add(pdu)
        if not pdu.flags & FINAL:
            return
        if task.is_broken or len(task.data) >= task.expected:
            del self.tasks[pdu.tag]
            self.execute(task)
        else:
            self.ask_for_data(task)

    def ask_for_data(self, task):
        """R2T (11.8)."""
        length = min(task.expected - len(task.data), self.parameters.max_burst)
        request = Pdu.make(Opcode.R2T, FINAL, task.command.tag)
        request.put(20, 1)  # target transfer tag
        request.put(40, len(task.data))
        request.put(44, length)
        task.next_number = 0
        self.send(request, takes_number=False)

    def execute(self, task):
        pdu = task.command
        cdb = bytes(pdu.header[32:48])
        if task.is_broken:
            self.respond(pdu, CHECK_CONDITION, LOST_DATA_SENSE, 0)
            return
        if pdu.lun != bytes(8) and cdb[0] not in (INQUIRY, REPORT_LUNS):
            self.respond(pdu, CHECK_CONDITION, NO_LUN_SENSE, 0)
            return
        wanted = task.expected if pdu.flags & READS else 0
        result = self.server.unit.execute(cdb, bytes(task.data), wanted)
        self.send_data(pdu, result.data)
        self.respond(pdu, result.status, result.sense, result.transferred)

    def send_data(self, pdu, data):
        limit = self.parameters.max_segment
        for number, offset in enumerate(range(0, len(data), limit)):
            segment = data[offset:offset + limit]
            is_last = offset + limit >= len(data)
            answer = Pdu.make(Opcode.DATA_IN, FINAL if is_last else 0, pdu.tag, segment)
            answer.put(20, NO_TAG)
            answer.put(36, number)
            answer.put(40, offset)
            self.send(answer, takes_number=False)

    def respond(self, pdu, status, sense, transferred):
        residual = pdu.get(20) - transferred
        flags = FINAL | (UNDERFLOW if residual > 0 else 0)
        data = len(sense).to_bytes(2, "big") + sense if sense else b""
        response = Pdu.make(Opcode.RESPONSE, flags, pdu.tag, data)
        response.header[3] = status
        response.put(44, residual)
        self.send(response)


class Target(socketserver.ThreadingTCPServer):
    """Serves a unit (unit.py) until it is closed."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, unit, port=0):
        super().__init__(("127.0.0.1", port), Connection)
        self.unit = unit
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def url(self, lun=0):
        return f"iscsi://127.0.0.1:{self.server_address[1]}/{NAME}/{lun}"

    def close(self):
        self.shutdown()
        self.server_close()
