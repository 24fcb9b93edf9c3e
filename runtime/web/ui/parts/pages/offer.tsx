import type { Offer } from '../../views.types.ts';
import { isLive, recording } from '../../store.ts';
import { Empty, Hint } from '../empty.tsx';

interface UnavailableProps {
  /** As it stands in the middle of a sentence: `peers`, `Coordinator`. */
  readonly what: string;
  /** Undefined until the server has said something. */
  readonly offer: Offer<object> | undefined;
}

/** What stands where something is not there: why, and the command that brings it. */
export function Unavailable({ what, offer }: UnavailableProps) {
  if (recording.value)
    return <Empty title="Not recorded">A recording holds actors and their events.</Empty>;
  if (offer === undefined || offer.available)
    return <Empty title={isLive.value ? `Asking for the ${what}…` : 'Connecting…'} />;
  return (
    <Empty title={`No ${what} here`}>
      {offer.why} <Hint text={offer.hint} />
    </Empty>
  );
}
