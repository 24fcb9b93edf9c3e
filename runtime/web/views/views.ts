/** The pages beside the tree, asked of the mesh when somebody opens one, and again while it is open. */
import type { Offer, ViewName, Views } from '../ui/views.types.ts';
import { meshPage, messagesView } from './mesh-page.ts';
import type { MeshSource } from './mesh-source.types.ts';
import { workloadsView } from './workloads-view.ts';

/** Between two looks at what somebody follows. */
export const VIEW_PERIOD_MS = 1_000;

const NO_MESH: Offer<never> = {
  available: false,
  why: 'This is a tree of actors, and no mesh.',
  hint: 'Run `mesh dev` for a mesh with a sample service.',
};

const MAKERS: { readonly [Name in ViewName]: (source: MeshSource) => Promise<Views[Name]> } = {
  workloads: async (source) => workloadsView(await source.apps()),
  mesh: meshPage,
  messages: messagesView,
};

/** The page of that name as it is now. Rejects with what the mesh rejects with. */
export const viewOf = async <Name extends ViewName>(
  name: Name,
  source: MeshSource | undefined,
): Promise<Views[Name]> => (source ? MAKERS[name](source) : NO_MESH);

/** Looks at what is followed, one look at a time, and tells what changed. */
export class FollowedViews {
  readonly #source: MeshSource | undefined;
  readonly #tell: (view: ViewName, body: Views[ViewName]) => void;
  /** Text of what was told last. */
  readonly #told = new Map<ViewName, string>();
  #followed: readonly ViewName[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isAgain = false;

  constructor(
    source: MeshSource | undefined,
    tell: (view: ViewName, body: Views[ViewName]) => void,
  ) {
    this.#source = source;
    this.#tell = tell;
  }

  /** All of them are told at once, also those that were followed already: somebody is new. */
  follow(views: readonly ViewName[]): void {
    this.#followed = views;
    this.#told.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (views.length === 0) return;
    this.#timer = setInterval(() => void this.#look(), VIEW_PERIOD_MS).unref();
    void this.#look();
  }

  /** Something was changed from the page: it is shown without waiting. */
  refresh(): void {
    if (this.#followed.length > 0) void this.#look();
  }

  async #look(): Promise<void> {
    this.#isAgain = this.#isLooking;
    if (this.#isLooking) return;
    this.#isLooking = true;
    do {
      this.#isAgain = false;
      for (const view of this.#followed) this.#compare(view, await this.#bodyOf(view));
    } while (this.#isAgain);
    this.#isLooking = false;
  }

  async #bodyOf(view: ViewName): Promise<Views[ViewName]> {
    try {
      return await viewOf(view, this.#source);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { available: false, why, hint: 'It is asked again every second.' };
    }
  }

  #compare(view: ViewName, body: Views[ViewName]): void {
    if (!this.#followed.includes(view)) return;
    const text = JSON.stringify(body);
    if (this.#told.get(view) === text) return;
    this.#told.set(view, text);
    this.#tell(view, body);
  }
}
