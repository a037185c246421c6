using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Cairn.Serving.Batches;

/// <summary>A line of an input file that is not empty.</summary>
/// <param name="Number">From 1, empty ones counted.</param>
/// <param name="Bytes">Null where it is longer than allowed.</param>
internal readonly record struct InputLine(int Number, byte[]? Bytes);

/// <summary>Reads an input file line by line; memory holds one.</summary>
internal static class BatchInput
{
    public static async IAsyncEnumerable<InputLine> ReadAsync(Stream input, int mostLineBytes, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(input, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
        var (number, tooLong) = (1, false);
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (TryTakeLine(ref rest, out var line))
            {
                if (tooLong || line.Length > mostLineBytes)
                    yield return new InputLine(number, null);
                else if (Content(line) is { } bytes)
                    yield return new InputLine(number, bytes);
                (number, tooLong) = (number + 1, false);
            }
            if (!tooLong && rest.Length > mostLineBytes)
                tooLong = true;
            if (read.IsCompleted)
            {
                if (tooLong)
                    yield return new InputLine(number, null);
                else if (Content(rest) is { } bytes)
                    yield return new InputLine(number, bytes);
                await reader.CompleteAsync();
                yield break;
            }
            if (tooLong)
                reader.AdvanceTo(rest.End);
            else
                reader.AdvanceTo(rest.Start, rest.End);
        }
    }

    private static bool TryTakeLine(ref ReadOnlySequence<byte> rest, out ReadOnlySequence<byte> line)
    {
        if (rest.PositionOf((byte)'\n') is not { } end)
        {
            line = default;
            return false;
        }
        (line, rest) = (rest.Slice(0, end), rest.Slice(rest.GetPosition(1, end)));
        return true;
    }

    /// <summary>Null for a line of nothing but blanks; a mark of the byte order is one.</summary>
    private static byte[]? Content(ReadOnlySequence<byte> line)
    {
        var bytes = line.ToArray();
        var text = bytes.AsSpan();
        if (text.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            text = text[3..];
        text = text.Trim(" \t\r"u8);
        return text.IsEmpty ? null : text.Length == bytes.Length ? bytes : text.ToArray();
    }
}
