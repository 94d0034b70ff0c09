"""How a connection of ldap3 reads: large pieces at a time, and search entries not by ldap3."""

from __future__ import annotations

from typing import Any

from ldap3.core.exceptions import LDAPSocketReceiveError
from ldap3.strategy.base import RESPONSE_COMPLETE, SESSION_TERMINATED_BY_SERVER
from ldap3.strategy.sync import SyncStrategy
from ldap3.utils.asn1 import decode_message_fast

from bridge.sources.ldap_decode import EntryDecoder, Malformed

_CHUNK = 1 << 18
_LONGEST_MESSAGE = 1 << 28
_NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"
_ENTRY = "searchResEntry"
_GO_ON = (_ENTRY, "searchResRef", "intermediateResponse")


class FastStrategy(SyncStrategy):  # type: ignore[misc]
    """ldap3's synchronous strategy, except for how it reads; put in place by `speed_up`.

    While it has a ``decoder``, a search is answered with what that makes of each entry, among the
    dicts in which ldap3 tells the rest.
    """

    decoder: EntryDecoder | None = None

    def open(self, *args: Any, **kwargs: Any) -> None:
        self.received = bytearray()
        """What arrived and was not looked at yet."""
        super().open(*args, **kwargs)

    def _open_socket(self, *args: Any, **kwargs: Any) -> None:
        try:
            super()._open_socket(*args, **kwargs)
        except BaseException:
            if self.connection.socket is not None:
                self.connection.socket.close()  # ldap3 leaves it open
            raise

    def _get_response(self, message_id: int, timeout: float) -> Any:
        """Everything that answers a request.

        Raises `Malformed`, and ldap3's errors where the connection breaks or times out.
        """
        answers: list[Any] = []
        # What the messages of entries begin with, after their length.
        begin = _integer(message_id) + b"\x64"
        to_tag = len(begin) - 1
        while True:
            messages, end = split(self.received)
            del self.received[:end]
            for place, m in enumerate(messages):
                start = 2 if m[1] < 0x80 else (m[1] & 0x7F) + 2
                if self.decoder is not None and m.startswith(begin, start):
                    entry = self.decoder.decode(m, start + to_tag)
                    if entry is not None:
                        answers.append(entry)
                        continue
                answer = self._by_ldap3(m, message_id)
                if answer is None:
                    return SESSION_TERMINATED_BY_SERVER
                answers.append(answer)
                if type(answer) is dict and answer["type"] not in _GO_ON:
                    self.received[:0] = b"".join(messages[place + 1 :])
                    return [*answers, RESPONSE_COMPLETE]
            if not (data := self._receive()):
                return SESSION_TERMINATED_BY_SERVER
            self.received += data

    def _by_ldap3(self, message: bytes, message_id: int) -> Any:
        try:
            decoded = decode_message_fast(message)
            number, answer = int(decoded["messageID"]), self.decode_response_fast(decoded)
        except Exception as error:  # it trusts its input, and fails in any way there is
            raise Malformed("a message that cannot be decoded") from error
        if number == 0 and answer.get("responseName") == _NOTICE_OF_DISCONNECTION:
            return None
        if number != message_id:
            raise Malformed("an answer to something that was not asked")
        if self.decoder is not None and answer["type"] == _ENTRY:
            return self.decoder.from_raw(bytes(answer["raw_dn"]), answer["raw_attributes"])
        return answer

    def _receive(self) -> bytes:
        try:
            return bytes(self.connection.socket.recv(_CHUNK))
        except (OSError, AttributeError) as error:
            raise LDAPSocketReceiveError(str(error)) from error


def speed_up(connection: Any) -> None:
    """Let a connection that is not open yet read by `FastStrategy`."""
    strategy = FastStrategy(connection)
    connection.strategy = strategy
    for name in ("send", "open", "get_response", "post_send_single_response", "post_send_search"):
        setattr(connection, name, getattr(strategy, name))


def split(data: bytes | bytearray) -> tuple[list[bytes], int]:
    """The whole messages that ``data`` begins with, and where the last of them ends.

    Raises `Malformed` where no LDAP message begins.
    """
    messages = []
    at, size = 0, len(data)
    while size - at >= 2:
        if data[at] != 0x30:
            raise Malformed("no LDAP message begins here")
        length = data[at + 1]
        start = at + 2
        if length > 0x7F:
            start += length & 0x7F
            if not 0x81 <= length <= 0x84:
                raise Malformed("the length of a message is of no form that LDAP knows")
            if start > size:
                break
            length = int.from_bytes(data[at + 2 : start], "big")
            if length > _LONGEST_MESSAGE:
                raise Malformed(f"a message of {length:,} bytes")
        end = start + length
        if end > size:
            break
        messages.append(bytes(data[at:end]))
        at = end
    return messages, at


def _integer(number: int) -> bytes:
    """A positive INTEGER in BER, as every server writes a message id."""
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes([0x02, len(content)]) + content
