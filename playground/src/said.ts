// What the page says and hands out: a line of notice, text to copy, files to save.

export const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

/** Words that stay on one line: a line must not end after the hyphens of an option. */
export function unbroken(words: string): HTMLElement {
  const text = document.createElement("span");
  text.textContent = words;
  text.style.whiteSpace = "nowrap";
  return text;
}

export function notice(text: string): void {
  find("notice").textContent = text;
  find("notice").hidden = !text;
}

function done(text: string): void {
  find("done-text").textContent = text;
  setTimeout(() => (find("done-text").textContent = ""), 2500);
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    done("copied");
  } catch {
    done("this browser does not let a page copy: select the text");
  }
}

export function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  done(`saved ${name}`);
}
