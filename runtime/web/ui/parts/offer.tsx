import type { Offer } from '../views.types.ts';
import { isLive, recording } from '../store.ts';
import { Empty, Hint } from './empty.tsx';

interface UnavailableProps {
  readonly what: string;
  /** Undefined until the server has said something. */
  readonly offer: Offer<object> | undefined;
}

/** What stands where something is not there: why, and the command that brings it. */
export function Unavailable({ what, offer }: UnavailableProps) {
  if (recording.value)
    return <Empty title={`${what} are not recorded`}>A recording holds actors and events.</Empty>;
  if (offer === undefined || offer.available)
    return <Empty title={isLive.value ? `Asking for ${what.toLowerCase()}…` : 'Connecting…'} />;
  return (
    <Empty title={`No ${what.toLowerCase()} here`}>
      {offer.why} <Hint text={offer.hint} />
    </Empty>
  );
}
