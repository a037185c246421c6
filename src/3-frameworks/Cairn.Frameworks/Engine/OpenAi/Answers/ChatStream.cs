using System.IO.Pipelines;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Chunks of a chat: the role first, then contents, then the reason it ended.</summary>
internal sealed class ChatStream(PipeWriter pipe, AnswerHead head, int choices, bool includeUsage, TokenTexts? logprobs)
    : AnswerStream(pipe, head, choices, includeUsage)
{
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
        if (piece.Text.Length == 0 && !tells)
            return;
        BeginChunk(choice);
        Write(",\"delta\":{\"content\":"u8);
        WriteText(piece.Text);
        if (tells)
        {
            Write("},\"logprobs\":"u8);
            Json.Reset();
            Logprobs.WriteChat(Json, piece.Tokens, logprobs!);
            Json.Flush();
            Write(",\"finish_reason\":null"u8);
        }
        else
        {
            Write("},\"logprobs\":null,\"finish_reason\":null"u8);
        }

        EndChunk();
    }

    public override void Finish(int choice, FinishReason reason)
    {
        BeginChunk(choice);
        Write(reason == FinishReason.Length
            ? ",\"delta\":{},\"logprobs\":null,\"finish_reason\":\"length\""u8
            : ",\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\""u8);
        EndChunk();
    }
}
