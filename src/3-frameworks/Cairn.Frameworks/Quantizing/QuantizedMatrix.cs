namespace Cairn.Frameworks.Quantizing;

/// <summary>Rows of a weight in MatMulNBits' layout: per row its blocks' levels, and a scale per block.</summary>
internal sealed class QuantizedMatrix
{
    internal QuantizedMatrix(int rows, int columns, int bits, int blockSize)
    {
        if (bits is not (4 or 8) || blockSize < 16 || (blockSize & (blockSize - 1)) != 0)
            throw new ArgumentException(
                $"{bits} bits in blocks of {blockSize}; 4 or 8 bits and a power of two of at least 16 are expected");
        (Rows, Columns, Bits, BlockSize) = (rows, columns, bits, blockSize);
        BlocksPerRow = (columns + blockSize - 1) / blockSize;
        var bytes = (long)rows * BlocksPerRow * BlockBytes;
        if (bytes > Array.MaxLength)
            throw new ArgumentException(
                $"a weight of {rows} × {columns} takes {bytes} bytes at {bits} bits; at most {Array.MaxLength} are supported");
        Levels = new byte[bytes];
        Scales = new float[(long)rows * BlocksPerRow];
    }

    internal int Bits { get; }
    internal int BlockSize { get; }
    internal int Rows { get; }
    internal int Columns { get; }
    internal byte[] Levels { get; }
    internal float[] Scales { get; }
    internal int BlocksPerRow { get; }
    internal int BlockBytes => BlockSize * Bits / 8;

    /// <summary>Quantises a row-major matrix; blocks run along the columns, which are what a product sums over.</summary>
    internal static QuantizedMatrix From(ReadOnlyMemory<float> values, int rows, int columns, int bits, int blockSize)
    {
        if (values.Length != (long)rows * columns)
            throw new ArgumentException($"{values.Length} values; {rows} rows of {columns} are expected", nameof(values));
        var matrix = new QuantizedMatrix(rows, columns, bits, blockSize);
        Parallel.For(0, rows, row => matrix.SetRow(row, values.Span.Slice(row * columns, columns)));
        return matrix;
    }

    /// <summary>Quantises one row.</summary>
    /// <returns>The sum of squares of what rounding changed.</returns>
    internal double SetRow(int row, ReadOnlySpan<float> values)
    {
        var error = 0.0;
        for (var block = 0; block < BlocksPerRow; block++)
            error += SetBlock(row, block, values[(block * BlockSize)..Math.Min((block + 1) * BlockSize, Columns)]);
        return error;
    }

    /// <returns>The sum of squares of what rounding changed.</returns>
    internal double SetBlock(int row, int block, ReadOnlySpan<float> values)
    {
        var index = (row * BlocksPerRow) + block;
        var levels = Levels.AsSpan(index * BlockBytes, BlockBytes);
        Scales[index] = BlockQuantizer.Quantize(values, Bits, levels);
        return BlockQuantizer.SquaredError(values, levels, Bits, Scales[index]);
    }

    /// <summary>What the runtime takes the weight for.</summary>
    internal float this[int row, int column]
    {
        get
        {
            var index = (row * BlocksPerRow) + (column / BlockSize);
            return BlockQuantizer.Value(Levels.AsSpan(index * BlockBytes, BlockBytes), column % BlockSize, Bits, Scales[index]);
        }
    }
}
