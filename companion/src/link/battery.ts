// SPDX-License-Identifier: GPL-3.0-or-later
// The battery's charge, where the browser tells it: Chromium's do.

interface Battery extends EventTarget {
  level: number;
  charging: boolean;
}

/** What STATUS says of the battery; nothing where it is not known. */
export class BatteryState {
  private battery: Battery | null = null;

  constructor() {
    const { getBattery } = navigator as Navigator & { getBattery?: () => Promise<Battery> };
    getBattery?.call(navigator).then(
      (battery) => (this.battery = battery),
      () => {}, // not for this page
    );
  }

  get facts(): { battery?: number; charging?: boolean } {
    return this.battery ? { battery: this.battery.level, charging: this.battery.charging } : {};
  }
}
