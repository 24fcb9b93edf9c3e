/** A whole relay that is to be killed at any moment: `relay-program.ts FILE PORT`; prints its port. */
import { startRelay } from '../../../runtime/relay/relay.ts';

const [path = '', port = '0'] = process.argv.slice(2);
const relay = await startRelay({ path, port: Number(port) });
process.stdout.write(`ready ${relay.port}\n`);
process.stdin.on('end', () => {
  void relay.stop();
});
process.stdin.resume();
