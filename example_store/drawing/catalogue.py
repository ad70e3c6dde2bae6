"""Which picture belongs to which product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import bags, ceramics, lamps, leather, watches

PICTURES: Final[dict[str, Callable[[], str]]] = {
    "ines-tote": lambda: bags.tote("#a5623a", "#e4d8c8", "Ines tote, cognac leather"),
    "halden-satchel": lambda: bags.satchel("#2f4a3c", "#d9d8c9", "Halden satchel, bottle green"),
    "marlow-weekender": lambda: bags.weekender("#7d4a2b", "#dcd5c6", "Marlow weekender"),
    "colette-crossbody": lambda: bags.crossbody(
        "#7a2333", "#e6d5d0", "Colette crossbody, bordeaux"
    ),
    "sofia-top-handle": lambda: bags.top_handle("#20283a", "#cfd3da", "Sofia top handle, midnight"),
    "meridian-38": lambda: watches.dress("#eef0ee", "#3d2a20", "#cdd3d3", "Meridian 38, steel"),
    "meridian-moonphase": lambda: watches.moonphase(
        "#f5eedd", "#27303f", "#e0d5c0", "Meridian Moonphase, gold"
    ),
    "tide-diver": lambda: watches.diver("#12375a", "#c8d3da", "Tide diver, steel bracelet"),
    "perpetua-chronograph": lambda: watches.chronograph(
        "#26221f", "#4a2f20", "#d8cdbd", "Perpetua chronograph, gold"
    ),
    "alba-table-lamp": lambda: lamps.table_lamp("#4d6d66", "#cfc4b1", "Alba table lamp, lit"),
    "arco-floor-lamp": lambda: lamps.arc_lamp("#b9ac99", "Arco floor lamp, lit"),
    "luna-pendant": lambda: lamps.pendant("#b4a690", "Luna pendant, lit"),
    "cortina-lamp": lambda: lamps.mushroom("#c56a3d", "#d3bfae", "Cortina lamp, amber glass"),
    "moon-jar": lambda: ceramics.moon_jar("#ece6da", "#c9c0b2", "Moon jar, white porcelain"),
    "ash-vase": lambda: ceramics.vase("#3f3c39", "#ddd3c3", "Ash vase with an olive branch"),
    "kiso-tea-set": lambda: ceramics.tea_set("#5a6b66", "#dcd4c5", "Kiso tea set"),
    "ember-bowl": lambda: ceramics.bowl("#a4623f", "#d9d2c7", "Ember bowl, reactive glaze"),
    "arlo-card-holder": lambda: leather.card_holder("#8a4a2b", "#dfd6c8", "Arlo card holder"),
    "arlo-wallet": lambda: leather.wallet("#33453d", "#dbd7c8", "Arlo bifold wallet"),
    "voyage-folio": lambda: leather.folio("#6b3d28", "#d8d2c6", "Voyage folio with pen"),
    "corso-belt": lambda: leather.belt("#4a2f22", "#ddd3c6", "Corso belt"),
    "dorian-watch-roll": lambda: leather.watch_roll("#2b3a4f", "#d4d3cf", "Dorian watch roll"),
}
