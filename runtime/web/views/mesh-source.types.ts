/** Where the pages beside the tree come from; each part that is missing is named on its page. */
import type { CoordinatorView } from '../../coordinator/coordinator-view.ts';
import type { CertificateView, MeshControl } from '../../control/mesh-control.ts';
import type { MessageLine, PeerLine } from '../ui/views.types.ts';

/** A mesh, as far as the inspector asks it. A tree that is no mesh has none. */
export interface MeshSource extends Pick<MeshControl, 'info' | 'apps' | 'rollback'> {
  /** Undefined where none belongs to this mesh. */
  coordinator?(): Promise<CoordinatorView | undefined>;
  certificates?(): Promise<readonly CertificateView[]>;
  /** Public ones, newest first; undefined, as the others are, where no peer runs. */
  messages?(): Promise<readonly MessageLine[] | undefined>;
  peers?(): Promise<readonly PeerLine[] | undefined>;
  relay?(): Promise<{ readonly address: string; readonly state: string } | undefined>;
}
