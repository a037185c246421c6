namespace Cairn.Frameworks.Quantizing;

/// <summary>Rows of a weight in MatMulNBits' layout: per row its blocks' levels, and a scale per block.</summary>
internal sealed class QuantizedMatrix
{
    internal required int Bits { get; init; }
    internal required int BlockSize { get; init; }
    internal required int Rows { get; init; }
    internal required int Columns { get; init; }
    internal required byte[] Levels { get; init; }
    internal required float[] Scales { get; init; }

    internal int BlocksPerRow => (Columns + BlockSize - 1) / BlockSize;
    internal int BlockBytes => BlockSize * Bits / 8;

    /// <summary>Quantises a row-major matrix; blocks run along the columns, which are what a product sums over.</summary>
    internal static QuantizedMatrix From(ReadOnlyMemory<float> values, int rows, int columns, int bits, int blockSize)
    {
        if (values.Length != (long)rows * columns)
            throw new ArgumentException($"{values.Length} values; {rows} rows of {columns} are expected", nameof(values));
        if (bits is not (4 or 8) || blockSize < 16 || (blockSize & (blockSize - 1)) != 0)
            throw new ArgumentException($"{bits} bits in blocks of {blockSize}; 4 or 8 bits and a power of two of at least 16 are expected");
        var blocks = (columns + blockSize - 1) / blockSize;
        var matrix = new QuantizedMatrix
        {
            Bits = bits, BlockSize = blockSize, Rows = rows, Columns = columns,
            Levels = new byte[(long)rows * blocks * blockSize * bits / 8], Scales = new float[(long)rows * blocks],
        };
        Parallel.For(0, rows, row => matrix.QuantizeRow(values.Span.Slice(row * columns, columns), row));
        return matrix;
    }

    private void QuantizeRow(ReadOnlySpan<float> values, int row)
    {
        for (var block = 0; block < BlocksPerRow; block++)
        {
            var start = block * BlockSize;
            var index = ((long)row * BlocksPerRow) + block;
            Scales[index] = BlockQuantizer.Quantize(
                values[start..Math.Min(start + BlockSize, Columns)], Bits, Levels.AsSpan((int)(index * BlockBytes), BlockBytes));
        }
    }
}
