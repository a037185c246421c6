using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Cairn.Serving.Gateway.Bodies;

/// <summary>
/// A client's body as a target gets it: with the target's own name of the model, a maximum of output that was reserved for, and usage
/// asked for. Pieces of the original are sent between the changed ones; nothing is copied.
/// </summary>
internal sealed class EditedBody : HttpContent
{
    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private long _length;

    private EditedBody(ReadOnlyMemory<byte> body, List<(Piece Old, byte[] New)> edits)
    {
        edits.Sort((a, b) => a.Old.Start.CompareTo(b.Old.Start));
        var at = 0;
        foreach (var (old, replacement) in edits)
        {
            Add(body[at..old.Start]);
            Add(replacement);
            at = old.End;
        }
        Add(body[at..]);
        Headers.TryAddWithoutValidation("Content-Type", "application/json");
    }

    /// <param name="maximum">Written where the client named no maximum.</param>
    public static EditedBody Of(ReadOnlyMemory<byte> body, in BodyFacts facts, BodyShape shape, string upstreamModel, long maximum)
    {
        var edits = new List<(Piece, byte[])>(3);
        if (upstreamModel != facts.Model)
            edits.Add((facts.ModelPiece, JsonSerializer.SerializeToUtf8Bytes(upstreamModel)));
        var inserted = "";
        if (shape.Maximums.Length > 0 && facts.Maximum is null)
        {
            if (facts.MaximumPiece.IsNone)
                inserted = string.Create(CultureInfo.InvariantCulture, $"\"{shape.Maximums[^1]}\":{maximum},");
            else
                edits.Add((facts.MaximumPiece, Encoding.UTF8.GetBytes(maximum.ToString(CultureInfo.InvariantCulture))));
        }
        if (shape.HasUsageOption && facts.Stream && !facts.IncludesUsage)
        {
            if (facts.StreamOptions.IsNone)
                inserted += "\"stream_options\":{\"include_usage\":true},";
            else
                edits.Add((facts.StreamOptions, "{\"include_usage\":true}"u8.ToArray()));
        }
        if (inserted.Length > 0)
            edits.Add((new Piece(facts.FirstMember, 0), Encoding.UTF8.GetBytes(inserted)));
        return new EditedBody(body, edits);
    }

    /// <summary>A copy of it, for who sends it after the original is gone.</summary>
    public byte[] ToArray()
    {
        var (all, at) = (new byte[_length], 0);
        foreach (var part in _parts)
        {
            part.CopyTo(all.AsMemory(at));
            at += part.Length;
        }
        return all;
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (var part in _parts)
            await stream.WriteAsync(part, cancellationToken);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    private void Add(ReadOnlyMemory<byte> part)
    {
        if (part.IsEmpty)
            return;
        _parts.Add(part);
        _length += part.Length;
    }
}
