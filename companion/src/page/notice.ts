// SPDX-License-Identifier: GPL-3.0-or-later
// The line over the picture that tells what happened, or asks.

const SHOWN_FOR = 6000; // ms

export class Notice {
  private readonly element: HTMLElement;
  private timer = 0;

  constructor(element: HTMLElement) {
    this.element = element;
    element.addEventListener("click", () => this.hide());
  }

  /**
   * Shows a line for some seconds, until the next, or until it is tapped away. A question stays
   * until it is answered.
   */
  say(text: string, stays = false): void {
    if (this.asking) return;
    this.show(text);
    if (!stays) this.timer = window.setTimeout(() => this.hide(), SHOWN_FOR);
  }

  /** Takes the line away, but no question. */
  hide(): void {
    if (!this.asking) this.clear();
  }

  /** Asks; `answers`: what each button says and does. */
  ask(text: string, answers: [string, () => void][]): void {
    this.show(text);
    const row = document.createElement("div");
    for (const [label, action] of answers) {
      const button = document.createElement("button");
      button.textContent = label;
      button.onclick = () => {
        this.clear();
        action();
      };
      row.append(button);
    }
    this.element.append(row);
  }

  private get asking(): boolean {
    return this.element.querySelector("button") !== null;
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.element.hidden = true;
    this.element.textContent = "";
  }

  private show(text: string): void {
    clearTimeout(this.timer);
    this.element.textContent = text;
    this.element.hidden = false;
  }
}
