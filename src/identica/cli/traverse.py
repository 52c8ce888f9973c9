"""identica traverse."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from identica.cli.options import File, Name

__all__ = ["Traverse"]

MOST_STEPS = 1000
MOST_ANCHORS = 100


@dataclass(frozen=True)
class Traverse:
    """Draw what becomes of some images when each component of a fitted model moves and the others stay.

    Writes, for each anchor, traversal_ROW.png (one row per component, over the range that the data cover) and
    traversal_ROW.gif (all components at once, side by side), and influence.png, the mean size of each pixel's
    derivative by each component.

    Parameters
    ----------
    model : Path
        A model.safetensors that fit has written, of images.
    data : Path
        Images of the shape that was fitted; they say how far each component goes.
    anchors : tuple of int
        Rows of the data from which to start, counted from 0; up to 100.
    n_steps : int
        Positions on the way; 2 to 1000.
    output : Path
        Directory to write into.
    key : str
        Array of a .npz file that holds several.
    """

    model: File
    data: File
    anchors: Annotated[tuple[int, ...], arg(metavar="ROW ...")] = (0,)
    n_steps: Annotated[int, arg(metavar="N")] = 11
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-traversals")
    key: Name = None

    def run(self) -> None:
        """Run the command."""
        from identica.io.model_header import examine_model

        examine_model(self.model)  # before anything is imported that takes long
        from identica.arguments import check_integer
        from identica.cli.reading import Reading
        from identica.estimators import load
        from identica.estimators.traversal import component_ranges, traverse
        from identica.io import DataError, output_directory, refuse_to_overwrite, write_together
        from identica.io.pictures import encode_gif, encode_png, influence_levels, picture_levels, tile, value_range

        check_integer("n_steps", self.n_steps, 2, MOST_STEPS)
        anchors = list(dict.fromkeys(self.anchors))
        if len(anchors) > MOST_ANCHORS:
            raise DataError(f"anchors names {len(anchors)} rows: give at most {MOST_ANCHORS} at once")
        model = load(self.model)
        shape = tuple(model.sample_shape_)
        if len(shape) < 2:
            raise DataError(f"{self.model} was fitted on a table, and images are drawn here: give a model of images")
        table = Reading(key=self.key).table_for(model, self.data, self.model)
        outside = [row for row in anchors if not 0 <= row < len(table.values)]
        if outside or not anchors:
            raise DataError(
                f"anchors {' '.join(map(str, outside)) or 'were not named'}: give rows of {self.data} from 0 to "
                f"{len(table.values) - 1}"
            )
        pictures = ["influence.png", *(f"traversal_{row}.{ending}" for row in anchors for ending in ("png", "gif"))]
        refuse_to_overwrite([self.model, self.data], [self.output / name for name in pictures])
        latents = model.transform(table.values, **table.beside.given())
        ranges, grey = component_ranges(latents), value_range(table.values)
        maps = influence_levels(model.influence_, shape)
        enlarge = max(1, 64 // max(shape[:2]))
        with output_directory(self.output) as directory, write_together(directory) as write:
            for row in anchors:
                moved = traverse(model, latents[row : row + 1], ranges, self.n_steps).values[0]
                images = picture_levels(moved, shape, *grey)
                write(f"traversal_{row}.png", encode_png(tile(images, background=128), enlarge=enlarge))
                frames = [tile(images[None, :, step], background=128) for step in range(self.n_steps)]
                write(f"traversal_{row}.gif", encode_gif(frames, enlarge=enlarge))
            write("influence.png", encode_png(tile(maps[None], background=128), enlarge=enlarge))
        print(f"{len(pictures)} pictures are in {self.output}")
