/** A certificate is renewed at half of its life; one that has less than this share left is late. */
const SHARE_LEFT = 0.25;
/** Its whole life in terms of what is left when it is to be renewed. */
const LIVES = 2;

/** Whether less than a quarter of its time is left. Both times are RFC 3339. */
export function isNearEnd(renewAt: string | null, notAfter: string, nowMs: number): boolean {
  if (renewAt === null) return false;
  const endMs = Date.parse(notAfter);
  const lifeMs = (endMs - Date.parse(renewAt)) * LIVES;
  return endMs - nowMs < lifeMs * SHARE_LEFT;
}
