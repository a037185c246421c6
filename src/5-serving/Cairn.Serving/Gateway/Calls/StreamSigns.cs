using Cairn.Serving.Gateway.Dialects;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>What an event says of the stream that it is in.</summary>
internal enum StreamSign
{
    /// <summary>Part of the answer.</summary>
    Part,

    /// <summary>Only that the connection lives.</summary>
    Ping,

    /// <summary>The answer is whole.</summary>
    End,

    /// <summary>The answer broke off, and the client was told by it.</summary>
    Error,
}

/// <summary>
/// Reads the signs of a stream; pure. A model may write any text, so the words alone say nothing: an event that has them is parsed, every other only searched.
/// </summary>
internal static class StreamSigns
{
    public static StreamSign Read(ReadOnlySpan<byte> one, ApiDialect dialect)
    {
        if (one.IndexOf("data:"u8) < 0)
            return StreamSign.Ping;
        var end = dialect == ApiDialect.Anthropic ? "message_stop"u8 : "[DONE]"u8;
        if (one.IndexOf(end) < 0 && one.IndexOf("\"error\""u8) < 0)
            return StreamSign.Part;
        try
        {
            var parsed = StreamEvent.Parse(one);
            if (dialect == ApiDialect.OpenAi)
                return parsed == StreamEvent.Done ? StreamSign.End : parsed.Data?["error"] is not null ? StreamSign.Error : StreamSign.Part;
            return (Fields.TextOrNull(parsed.Data?["type"]) ?? parsed.Name) switch { "message_stop" => StreamSign.End, "error" => StreamSign.Error, _ => StreamSign.Part };
        }
        catch (FieldFault)
        {
            return StreamSign.Part; // Not JSON that can be read; whoever the stream is for will judge.
        }
    }
}
