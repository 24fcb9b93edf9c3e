import { expiryMachine } from '../../../machines/gossip/expiry.machine.ts';
import { inboxMachine } from '../../../machines/gossip/inbox.machine.ts';
import { outboxMachine } from '../../../machines/gossip/outbox.machine.ts';
import { requesterMachine } from '../../../machines/gossip/requester.machine.ts';
import { responderMachine } from '../../../machines/gossip/responder.machine.ts';
import { syncMachine } from '../../../machines/gossip/sync.machine.ts';
import {
  expiryModel,
  inboxModel,
  outboxModel,
  requesterModel,
  responderModel,
  syncModel,
} from '../../support/gossip/samples.ts';
import { machineSuite } from '../../support/machine.suite.ts';

machineSuite(requesterMachine, requesterModel());
machineSuite(responderMachine, responderModel);
machineSuite(syncMachine, syncModel);
machineSuite(inboxMachine, inboxModel);
machineSuite(outboxMachine, outboxModel);
machineSuite(expiryMachine, expiryModel);
