using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>
/// Writes an answer as server-sent events. What every chunk repeats is encoded once, so that a token costs a copy of it and the writing of
/// one text.
/// Writes into the pipe's buffer only; whoever owns the connection flushes. Not for concurrent use.
/// </summary>
internal abstract class AnswerStream : IDisposable
{
    public const string ContentType = "text/event-stream; charset=utf-8";
    private readonly PipeWriter _pipe;
    private readonly AnswerHead _head;
    private readonly bool _includeUsage;
    private readonly byte[][] _beginnings;

    protected AnswerStream(PipeWriter pipe, AnswerHead head, int choices, bool includeUsage)
    {
        _pipe = pipe;
        _head = head;
        _includeUsage = includeUsage;
        _beginnings = new byte[choices][];
        Json = new Utf8JsonWriter(pipe, WireJson.Options);
    }

    protected abstract ReadOnlySpan<byte> Kind { get; }

    protected Utf8JsonWriter Json { get; }

    /// <summary>Before a choice's first piece.</summary>
    public abstract void Begin(int choice);

    /// <summary>A piece of text, with log-probabilities where they are told; nothing where it has neither.</summary>
    public abstract void Piece(int choice, in GenerationPiece piece);

    public abstract void Finish(int choice, FinishReason reason);

    /// <summary>The whole answer's tokens, where they were asked for.</summary>
    public void Usage(Usage usage)
    {
        if (!_includeUsage)
            return;
        Write("data: "u8);
        Json.Reset();
        Json.WriteStartObject();
        _head.WriteTo(Json, Kind);
        Json.WriteStartArray("choices"u8);
        Json.WriteEndArray();
        usage.WriteTo(Json);
        Json.WriteEndObject();
        Json.Flush();
        Write("\n\n"u8);
    }

    /// <summary>The stream broke; clients raise what this says.</summary>
    public void Error(OpenAiError error)
    {
        Write("data: "u8);
        Json.Reset();
        error.WriteTo(Json);
        Json.Flush();
        Write("\n\n"u8);
    }

    public void Done() => Write("data: [DONE]\n\n"u8);

    public void Dispose() => Json.Dispose();

    /// <summary>Up to and with <c>"index":N</c> of the chunk's one choice.</summary>
    protected void BeginChunk(int choice) => Write(_beginnings[choice] ??= Encode(choice));

    /// <summary>Closes the choice and the chunk.</summary>
    protected void EndChunk() => Write(_includeUsage ? "}],\"usage\":null}\n\n"u8 : "}]}\n\n"u8);

    protected void Write(ReadOnlySpan<byte> bytes) => _pipe.Write(bytes);

    /// <summary>A JSON text, quotes included.</summary>
    protected void WriteText(string text)
    {
        Json.Reset();
        Json.WriteStringValue(text);
        Json.Flush();
    }

    private byte[] Encode(int choice)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write("data: "u8);
        using (var json = new Utf8JsonWriter(buffer, WireJson.Options))
        {
            json.WriteStartObject();
            _head.WriteTo(json, Kind);
            json.WriteStartArray("choices"u8);
            json.WriteStartObject();
            json.WriteNumber("index"u8, choice);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
