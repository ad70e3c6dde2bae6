"use strict";
parent.postMessage({ localStripe: "3d-secure" }, "*");
