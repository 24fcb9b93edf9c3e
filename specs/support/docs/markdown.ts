/** The little of Markdown (CommonMark §4.5, §6.3) that the documentation specs look at. */

export interface Block {
  /** First word of the info string; empty where there is none. */
  readonly language: string;
  /** Words of the info string that are no `key=value`: for `ts`, `json` and `toml` a file's path. */
  readonly path: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  readonly text: string;
  /** 1-based line of the opening fence. */
  readonly line: number;
}

const FENCE = /^(`{3,}|~{3,})\s*(.*)$/;
const OPTION = /([\w-]+)=(?:"([^"]*)"|(\S+))/g;

/** Fenced blocks in the order of the text; an unclosed one ends with the document, as CommonMark says. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; info: string; line: number; text: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, fence = '', info = ''] = FENCE.exec(line) ?? [];
    if (open && fence.startsWith(open.fence) && info === '') {
      blocks.push(blockOf(open.info, open.text, open.line));
      open = undefined;
    } else if (open) open.text.push(line);
    else if (fence !== '') open = { fence, info, line: index + 1, text: [] };
  }
  if (open) blocks.push(blockOf(open.info, open.text, open.line));
  return blocks;
}

function blockOf(info: string, lines: readonly string[], line: number): Block {
  const options: Record<string, string> = {};
  for (const [, key = '', quoted, bare] of info.matchAll(OPTION))
    options[key] = quoted ?? bare ?? '';
  const [language = '', path] = info.replaceAll(OPTION, '').trim().split(/\s+/);
  return { language, path, options, text: lines.join('\n'), line };
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

/** Inline links outside of fenced blocks. */
export function linksOf(markdown: string): Link[] {
  const links: Link[] = [];
  let fence = '';
  for (const [index, line] of markdown.split('\n').entries()) {
    const mark = FENCE.exec(line)?.[1] ?? '';
    if (fence === '' && mark !== '') fence = mark;
    else if (fence !== '' && mark.startsWith(fence)) fence = '';
    else if (fence === '')
      for (const [, target = ''] of line.matchAll(/\]\(([^)\s]+)[^)]*\)/g))
        links.push({ target, line: index + 1 });
  }
  return links;
}

/** The anchors that a renderer gives to the headings (lower case, no punctuation, dashes). */
export function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.matchAll(/^#{1,6} +(.+?) *#*$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
