"""identica traverse."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from identica.cli.options import File, Name

__all__ = ["Traverse"]


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
        Rows of the data from which to start, counted from 0.
    n_steps : int
        Positions on the way.
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
        from identica.cli.transform import check_features
        from identica.estimators import load
        from identica.io import DataError, output_directory, read_table, refuse_to_overwrite
        from identica.io.pictures import influence_levels, picture_levels, tile, value_range, write_gif, write_png
        from identica.traversal import component_ranges, traverse

        model = load(self.model)
        shape = tuple(model.sample_shape_)
        if len(shape) < 2:
            raise DataError(f"{self.model} was fitted on a table, and images are drawn here: give a model of images")
        table = read_table(self.data, key=self.key)
        check_features(table, model)
        outside = [row for row in self.anchors if not 0 <= row < len(table.values)]
        if outside or not self.anchors:
            raise DataError(
                f"anchors {' '.join(map(str, outside)) or 'were not named'}: give rows of {self.data} from 0 to "
                f"{len(table.values) - 1}"
            )
        names = [f"traversal_{row}.{ending}" for row in self.anchors for ending in ("png", "gif")]
        refuse_to_overwrite([self.model, self.data], [self.output / name for name in [*names, "influence.png"]])
        latents = model.transform(table.values)
        moved = traverse(model, latents[list(self.anchors)], component_ranges(latents), self.n_steps).values
        images = picture_levels(moved, shape, *value_range(table.values))
        maps = influence_levels(model.influence_, shape)
        enlarge = max(1, 64 // shape[0])
        with output_directory(self.output) as directory:
            for row, one in zip(self.anchors, images, strict=True):
                write_png(directory / f"traversal_{row}.png", tile(one, background=128), enlarge=enlarge)
                frames = [tile(one[None, :, step], background=128) for step in range(self.n_steps)]
                write_gif(directory / f"traversal_{row}.gif", frames, enlarge=enlarge)
            write_png(directory / "influence.png", tile(maps[None], background=128), enlarge=enlarge)
        print(f"{len(self.anchors)} traversals of {latents.shape[1]} components are in {self.output}")
