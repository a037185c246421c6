using System.IO.Pipelines;
using Cairn.Frameworks.ToolCalls;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Chunks of a chat: the role first, then contents and calls, then the reason it ended.</summary>
internal sealed class ChatStream(PipeWriter pipe, AnswerHead head, int choices, bool includeUsage, TokenTexts? logprobs, ChatTools? tools)
    : AnswerStream(pipe, head, choices, includeUsage)
{
    private readonly ToolCallParser[] _calls = tools is null ? [] : [.. Enumerable.Range(0, choices).Select(_ => tools.NewParser())];

    protected override ReadOnlySpan<byte> Kind => "chat.completion.chunk"u8;

    public override void Begin(int choice)
    {
        BeginChunk(choice);
        Write(",\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":null"u8);
        EndChunk();
    }

    public override void Piece(int choice, in GenerationPiece piece)
    {
        var tells = logprobs is not null && piece.Tokens.Count > 0;
        if (_calls.Length > 0)
        {
            // Tokens and calls do not begin and end together, so the tokens are told by themselves.
            if (tells)
                Content(choice, "", piece);
            Deltas(choice, _calls[choice].Append(piece.Text));
        }
        else if (tells)
        {
            Content(choice, piece.Text, piece);
        }
        else if (piece.Text.Length > 0)
        {
            Content(choice, piece.Text);
        }
    }

    public override void Finish(int choice, FinishReason reason)
    {
        if (_calls.Length > 0)
            Deltas(choice, _calls[choice].Finish());
        BeginChunk(choice);
        Write(reason == FinishReason.Length
            ? ",\"delta\":{},\"logprobs\":null,\"finish_reason\":\"length\""u8
            : _calls.Length > 0 && _calls[choice].Calls > 0
                ? ",\"delta\":{},\"logprobs\":null,\"finish_reason\":\"tool_calls\""u8
                : ",\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\""u8);
        EndChunk();
    }

    private void Content(int choice, string text)
    {
        BeginChunk(choice);
        Write(",\"delta\":{\"content\":"u8);
        WriteText(text);
        Write("},\"logprobs\":null,\"finish_reason\":null"u8);
        EndChunk();
    }

    private void Content(int choice, string text, in GenerationPiece piece)
    {
        BeginChunk(choice);
        Write(",\"delta\":{\"content\":"u8);
        WriteText(text);
        Write("},\"logprobs\":"u8);
        Json.Reset();
        Logprobs.WriteChat(Json, piece.Tokens, logprobs!);
        Json.Flush();
        Write(",\"finish_reason\":null"u8);
        EndChunk();
    }

    private void Deltas(int choice, IReadOnlyList<ToolCallDelta> deltas)
    {
        foreach (var delta in deltas)
        {
            if (delta is ToolCallDelta.Content content)
                Content(choice, content.Text);
            else
                Call(choice, delta);
        }
    }

    private void Call(int choice, ToolCallDelta delta)
    {
        BeginChunk(choice);
        Write(",\"delta\":"u8);
        Json.Reset();
        Json.WriteStartObject();
        Json.WriteStartArray("tool_calls"u8);
        Json.WriteStartObject();
        if (delta is ToolCallDelta.Call call)
            ToolCallJson.Write(Json, call.Index, call.Id, call.Name, "");
        else if (delta is ToolCallDelta.Arguments arguments)
            ToolCallJson.WriteMore(Json, arguments.Index, arguments.Fragment);
        Json.WriteEndObject();
        Json.WriteEndArray();
        Json.WriteEndObject();
        Json.Flush();
        Write(",\"logprobs\":null,\"finish_reason\":null"u8);
        EndChunk();
    }
}
