interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly title?: string;
  readonly isHot?: boolean;
}

/** One number or word with what it is, for a list of them. */
export const Figure = ({ name, value, title, isHot = false }: FigureProps) => (
  <div title={title}>
    <dt>{name}</dt>
    <dd class={isHot ? 'hot' : ''}>{value}</dd>
  </div>
);
