import { startMesh } from 'mycelium-mesh';

// The spore, and the trust in its key, were made by `mesh build` and `mesh trust add`.
const mesh = await startMesh({ home: '.mesh', nodes: 2, port: 0 });
try {
  const { digest } = await mesh.publish('hello-1.spore');
  const { generation } = await mesh.run({ app: 'hello', digest, min: 2 });
  for await (const { deployment, serving, wanted } of mesh.follow('hello', generation))
    console.log(`${deployment.outcome}: ${serving} of ${wanted} serve`);

  const response = await fetch(`${mesh.edgeUrl}/hello/`);
  console.log(await response.text());
} finally {
  await mesh.stop();
}
