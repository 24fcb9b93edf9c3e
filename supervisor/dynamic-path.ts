declare const dynamic: unique symbol;

/** A path that no spec wrote down. */
export type DynamicPath = string & { readonly [dynamic]: true };

/**
 * The path of a child that was added at run time, for a tree that knows the others by their spec.
 * Whether it exists, and what it takes, is found out at run time only.
 *
 * @example
 * tree.send(dynamicPath(`house/guests/${name}`), { type: 'greet' });
 */
export const dynamicPath = (path: string): DynamicPath => path as DynamicPath;
