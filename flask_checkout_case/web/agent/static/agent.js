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
