import { startClock } from "./clock.js";
import { startComposer } from "./composer.js";
import { startKeyboard } from "./keyboard.js";
import { startLive } from "./live.js";
import { startMenus } from "./menus.js";

startClock();
startMenus();
startKeyboard();
startComposer();
startLive();
// On a narrow screen the views are a row that scrolls: the one that is open isn't to be searched for.
document.querySelector(".views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
