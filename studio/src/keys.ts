/** Whether a key is pressed with Ctrl, Alt or Meta: those are the browser's. AltGr only reaches a character. */
export const isShortcut = (event: KeyboardEvent): boolean =>
  (event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph");
