import type { House, SourceFile } from './house.ts';

/** Something to mend: where it is, and what to do. */
export interface Violation {
  readonly path: string;
  /** 1-based; 0 means the file or folder as a whole. */
  readonly line: number;
  readonly message: string;
}

/** A row of the tidy table. */
export interface Rule {
  readonly name: string;
  /** Why the rule is worth obeying. */
  readonly reason: string;
  check(house: House): readonly Violation[];
  /** Small houses that break the rule, each with the `path:line` that must be reported. */
  readonly planted: readonly Planted[];
  /** A house that looks alike and is in order. */
  readonly clean: Readonly<Record<string, string>>;
}

export interface Planted {
  readonly files: Readonly<Record<string, string>>;
  readonly at: string;
}

/** `path:line: message`, which editors and terminals turn into a link. */
export const formatViolation = ({ path, line, message }: Violation): string =>
  `${path}${line === 0 ? '' : `:${line}`}: ${message}`;

/** A rule's check from a look at one file. */
export function perFile(
  isFor: (file: SourceFile) => boolean,
  look: (file: SourceFile, report: (line: number, message: string) => void, house: House) => void,
): Rule['check'] {
  return (house) => {
    const found: Violation[] = [];
    for (const file of house.files)
      if (isFor(file))
        look(file, (line, message) => found.push({ path: file.path, line, message }), house);
    return found;
  };
}

/** Whether a file is in one of these folders (given with their slash). */
export const isIn =
  (...folders: readonly string[]) =>
  (file: SourceFile): boolean =>
    folders.some((folder) => file.path.startsWith(folder));

/** TypeScript in one of these folders. */
export const isSourceIn =
  (...folders: readonly string[]) =>
  (file: SourceFile): boolean =>
    file.isTypeScript && isIn(...folders)(file);
