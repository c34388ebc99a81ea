# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's panel of phones, and what its buttons do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..phone.addresses import LOOPBACK, local_addresses
from ..phone.pages import ROOT
from . import phones, preview
from .operators import Telling
from .translation import iface_, rpt_, tip_

if TYPE_CHECKING:
    from ..phone.server import PhoneServer, PhoneState

_CODE_SCALE = 9.0
_CERTIFICATE_WIDTH = 420  # px at Blender's usual size


def _addresses(_: object, __: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    addresses = dict.fromkeys([*local_addresses(), LOOPBACK])
    _ADDRESSES[:] = [
        (each, each, tip_("Phones reach this computer at {address}", address=each))
        for each in addresses
    ]
    return _ADDRESSES


_ADDRESSES: list[tuple[str, str, str]] = []
"""Blender keeps no copy of the texts of a dynamic enum, so they live here."""


class MFN_OT_phones_start(Telling, bpy.types.Operator):
    """Let phones of this network join: they scan a code, and their cameras drive characters"""

    bl_idname = "mfn.phones_start"
    bl_label = "Add Phone"

    address: EnumProperty(
        name="Network", description="The interface on which phones reach this computer",
        items=_addresses,
    )  # fmt: skip

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            server = phones.start(context, self.address)
        except OSError as error:
            return self.failed(
                rpt_(
                    "{address}: phones cannot be listened to there ({error})",
                    address=self.address, error=error,
                )
            )  # fmt: skip
        address = f"{self.address}:{server.port}"
        return self.done(rpt_("Waiting for phones at {address}", address=address))


class MFN_OT_phones_certificate(Telling, bpy.types.Operator):
    """How to end the browser's warning on a phone: install this computer's certificate there"""

    bl_idname = "mfn.phones_certificate"
    bl_label = "Certificate to Install"

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        return phones.server() is not None

    def invoke(self, context: bpy.types.Context, _: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_popup(self, width=_CERTIFICATE_WIDTH)

    def draw(self, _: bpy.types.Context) -> None:
        layout: Any = self.layout
        for line in certificate_lines(_running()):
            layout.label(text=line, translate=False)

    def execute(self, _: bpy.types.Context) -> set[str]:
        return {"FINISHED"}


def certificate_lines(server: PhoneServer) -> list[str]:
    """What a person needs to know to install the certificate and to check it."""
    pairs = server.root_fingerprint.split(":")
    quarters = [":".join(pairs[start : start + 8]) for start in range(0, len(pairs), 8)]
    return [
        iface_("On the phone's page: Settings, End the certificate warning. Or open:"),
        f"https://{server.options.address}:{server.port}{ROOT}",
        iface_("The phone has to show this fingerprint (SHA-256):"),
        *quarters,
    ]


class _PhoneOperator(Telling):
    """One that concerns a phone of the running server."""

    device: StringProperty(
        name="Phone", description="The phone's id", options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        return phones.server() is not None


class MFN_OT_phone_rename(_PhoneOperator, bpy.types.Operator):
    """Call this phone otherwise"""

    bl_idname = "mfn.phone_rename"
    bl_label = "Rename Phone"

    name: StringProperty(name="Name", description="What the phone is called", maxlen=64)

    def invoke(self, context: bpy.types.Context, _: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, _: bpy.types.Context) -> set[str]:
        _running().rename(self.device, self.name)
        return self.done(rpt_("Renamed the phone to {name}", name=self.name))


class MFN_OT_phone_disconnect(_PhoneOperator, bpy.types.Operator):
    """Stop this phone; it may come again"""

    bl_idname = "mfn.phone_disconnect"
    bl_label = "Disconnect Phone"

    def execute(self, _: bpy.types.Context) -> set[str]:
        _running().disconnect(self.device)
        return self.done(rpt_("Disconnected the phone"))


class MFN_OT_phone_forget(_PhoneOperator, bpy.types.Operator):
    """Revoke this phone's key: to come again it has to scan a code"""

    bl_idname = "mfn.phone_forget"
    bl_label = "Forget Phone"

    def execute(self, _: bpy.types.Context) -> set[str]:
        _running().forget(self.device)
        return self.done(rpt_("Forgot the phone"))


class MFN_PT_phones(bpy.types.Panel):
    bl_label = "Phones"
    bl_idname = "MFN_PT_phones"
    bl_parent_id = "MFN_PT_capture"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"

    def draw(self, _: bpy.types.Context) -> None:
        layout: Any = self.layout
        server = phones.server()
        if server is None:
            row = layout.row(align=True)
            row.scale_y = 1.4
            row.operator("mfn.phones_start", icon="ADD")
            row.operator_menu_enum("mfn.phones_start", "address", text="", icon="DOWNARROW_HLT")
            return
        _draw_code(layout, server)
        for phone in server.phones():
            _draw_phone(layout, phone)


def _draw_code(layout: Any, server: PhoneServer) -> None:
    layout.label(text="Scan with the phone's camera:")
    layout.template_icon(icon_value=preview.icon(phones.CODE), scale=_CODE_SCALE)
    column = layout.column(align=True)
    row = column.row(align=True)
    address = f"https://{server.options.address}:{server.port}"
    row.label(text=address, icon="URL", translate=False)
    row.operator_menu_enum("mfn.phones_start", "address", text="", icon="DOWNARROW_HLT")
    column.label(text=iface_("PIN  {pin}", pin=server.hub.pairing.pin), icon="LOCKED")
    row = column.row(align=True)
    row.label(text=f"{server.fingerprint[:23]}…", icon="FAKE_USER_ON")
    row.operator("mfn.phones_certificate", text="", icon="INFO")


def _draw_phone(layout: Any, phone: PhoneState) -> None:
    box = layout.box().column(align=True)
    row = box.row(align=True)
    icon = "RADIOBUT_ON" if phone.connected else "RADIOBUT_OFF"
    row.label(text=f"{phone.slot}  {phone.name}", icon=icon, translate=False)
    rename = row.operator("mfn.phone_rename", text="", icon="GREASEPENCIL")
    rename.device, rename.name = phone.device, phone.name
    if phone.connected:
        row.operator("mfn.phone_disconnect", text="", icon="UNLINKED").device = phone.device
    row.operator("mfn.phone_forget", text="", icon="X").device = phone.device
    box.label(text=phones.describe(phone), translate=False)


def _running() -> PhoneServer:
    server = phones.server()
    assert server is not None  # poll has seen to it
    return server


CLASSES = (
    MFN_OT_phones_start,
    MFN_OT_phones_certificate,
    MFN_OT_phone_rename,
    MFN_OT_phone_disconnect,
    MFN_OT_phone_forget,
    MFN_PT_phones,
)
