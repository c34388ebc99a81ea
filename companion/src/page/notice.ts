// SPDX-License-Identifier: GPL-3.0-or-later
// The line over the picture that tells what happened, or asks.

const SHOWN_FOR = 6000; // ms

export class Notice {
  private readonly element: HTMLElement;
  private timer = 0;

  constructor(element: HTMLElement) {
    this.element = element;
  }

  /** Shows a line for some seconds, or until the next. A question stays until it is answered. */
  say(text: string, stays = false): void {
    if (this.element.querySelector("button")) return;
    this.show(text);
    if (!stays) this.timer = window.setTimeout(() => this.hide(), SHOWN_FOR);
  }

  hide(): void {
    clearTimeout(this.timer);
    this.element.hidden = true;
    this.element.textContent = "";
  }

  /** Asks; `answers`: what each button says and does. */
  ask(text: string, answers: [string, () => void][]): void {
    this.show(text);
    const row = document.createElement("div");
    for (const [label, action] of answers) {
      const button = document.createElement("button");
      button.textContent = label;
      button.onclick = () => {
        this.hide();
        action();
      };
      row.append(button);
    }
    this.element.append(row);
  }

  private show(text: string): void {
    clearTimeout(this.timer);
    this.element.textContent = text;
    this.element.hidden = false;
  }
}
