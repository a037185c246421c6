using System.Buffers;
using Cairn.Serving.Gateway.Dialects;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>
/// Splits a stream of server-sent events where events end, and passes them on unchanged. One that only tells usage, which the gateway asked for and the client did not, is left out.
/// </summary>
/// <param name="back">What makes the client's events of the target's; null where they are the same.</param>
internal sealed class EventRelay(Call call, Answer answer, AnswerTranslation? back)
{
    private const int MostEventBytes = 4 << 20;
    private readonly CallKind _kind = answer.Spoken.Kind;
    private readonly List<StreamEvent> _translated = [];
    private readonly bool _dropUsage = back is null && call.Kind.Shape.HasUsageOption && !call.Facts.IncludesUsage;
    private bool _promptDone;
    private int _kept;

    /// <summary>Events so far that carry something.</summary>
    public long Count { get; private set; }

    public TokenUsage? Usage { get; private set; }

    /// <summary>Whether the event came that only a whole stream ends with.</summary>
    public bool SawEnd { get; private set; }

    /// <summary>Whether the target's own words told the client that the stream broke.</summary>
    public bool ToldError { get; private set; }

    /// <summary>Events that tell that the answer is whole, for when it is kept.</summary>
    public List<StreamEvent> Held { get; } = [];

    /// <summary>Where the next bytes shall be read to.</summary>
    public Memory<byte> Room(Answer from) => (from.Buffer.Length - _kept < 1024 ? from.Grow() : from.Buffer).AsMemory(_kept);

    /// <summary>Writes the whole events among what was kept and what was read.</summary>
    /// <returns>Why the stream cannot go on; null where it can.</returns>
    public string? Take(int read, IBufferWriter<byte> output, Answer from)
    {
        var bytes = from.Buffer.AsSpan(0, _kept + read);
        while (EndOfEvent(bytes) is var end and > 0)
        {
            if (Look(bytes[..end]) && Pass(bytes[..end], output) is { } broken)
                return broken;
            bytes = bytes[end..];
        }
        bytes.CopyTo(from.Buffer);
        _kept = from.Count = bytes.Length;
        return _kept > MostEventBytes ? $"an event is larger than {MostEventBytes:N0} bytes" : null;
    }

    private string? Pass(ReadOnlySpan<byte> one, IBufferWriter<byte> output)
    {
        if (back is null)
        {
            output.Write(one);
            return null;
        }
        try
        {
            _translated.Clear();
            back.Next(StreamEvent.Parse(one), _translated);
            if (call.Keep is not null && back.Final is not null)
            {
                Held.AddRange(_translated);
                return null;
            }
            foreach (var each in _translated)
                each.Write(output);
            return null;
        }
        catch (FieldFault fault)
        {
            return fault.Message;
        }
    }

    /// <returns>Whether the client gets the event.</returns>
    private bool Look(ReadOnlySpan<byte> one)
    {
        var sign = StreamSigns.Read(one, _kind.Dialect);
        SawEnd |= sign == StreamSign.End && _kind.TellsEnd;
        ToldError |= sign == StreamSign.Error && back is null;
        if (sign != StreamSign.Part)
            return true;
        Count++;
        Did();
        if (one.IndexOf("\"usage\":"u8) < 0 || UsageScan.Find(one) is not { } usage)
            return true;
        // Anthropic tells the input with the first event and the output with the last.
        Usage = Usage is { } earlier ? new TokenUsage(Math.Max(earlier.Input, usage.Input), Math.Max(earlier.Cached, usage.Cached), Math.Max(earlier.Output, usage.Output)) : usage;
        var onlyUsage = _dropUsage && one.IndexOf("\"choices\":[]"u8) >= 0;
        Count -= onlyUsage ? 1 : 0;
        return !onlyUsage;
    }

    /// <summary>The prompt's work is done with the first event, and a token's with each.</summary>
    private void Did()
    {
        answer.Occupancy?.Did(_promptDone ? 1 : call.PromptTokens);
        _promptDone = true;
    }

    /// <summary>Just behind the empty line that ends the first event; 0 where none has ended.</summary>
    private static int EndOfEvent(ReadOnlySpan<byte> bytes)
    {
        for (var from = 0; bytes[from..].IndexOf((byte)'\n') is var at and >= 0;)
        {
            from += at + 1;
            if (from < bytes.Length && bytes[from] == '\n')
                return from + 1;
            if (from + 1 < bytes.Length && bytes[from] == '\r' && bytes[from + 1] == '\n')
                return from + 2;
        }
        return 0;
    }
}
