/** The paths of one peer's gossip actors, below the supervisor of them all. */

/** What `gossipTree` calls that supervisor; its path is this below whatever it stands in. */
export const GOSSIP_ID = 'gossip';
export const REQUESTERS_ID = 'requesters';
export const RESPONDERS_ID = 'responders';
export const OUTBOX_ID = 'outbox';
export const EXPIRY_ID = 'expiry';
export const INBOX_ID = 'inbox';
export const SYNC_ID = 'sync';

/** One requester for each peer that is being asked. */
export const requesterPath = (root: string, peer: string): string =>
  `${root}/${REQUESTERS_ID}/${peer}`;

/** Session ids are the requester's to choose, so two peers may choose the same. */
export const responderId = (peer: string, session: string): string => `${peer}.${session}`;
export const responderPath = (root: string, peer: string, session: string): string =>
  `${root}/${RESPONDERS_ID}/${responderId(peer, session)}`;
