using System.IO.Pipelines;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Chunks of a plain completion.</summary>
/// <param name="echoes">What is said before each choice's output; null says nothing.</param>
internal sealed class CompletionStream(
    PipeWriter pipe, AnswerHead head, int choices, bool includeUsage, TokenTexts? logprobs, IReadOnlyList<string>? echoes)
    : AnswerStream(pipe, head, choices, includeUsage)
{
    private readonly int[] _offsets = new int[choices];

    protected override ReadOnlySpan<byte> Kind => "text_completion"u8;

    public override void Begin(int choice)
    {
        if (echoes is not null && echoes[choice].Length > 0)
            Chunk(choice, new GenerationPiece(echoes[choice], [], null), tells: false);
    }

    public override void Piece(int choice, in GenerationPiece piece)
    {
        var tells = logprobs is not null && piece.Tokens.Count > 0;
        if (piece.Text.Length > 0 || tells)
            Chunk(choice, piece, tells);
    }

    public override void Finish(int choice, FinishReason reason)
    {
        BeginChunk(choice);
        Write(reason == FinishReason.Length
            ? ",\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"length\""u8
            : ",\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"stop\""u8);
        EndChunk();
    }

    private void Chunk(int choice, in GenerationPiece piece, bool tells)
    {
        BeginChunk(choice);
        Write(",\"text\":"u8);
        WriteText(piece.Text);
        if (tells)
        {
            Write(",\"logprobs\":"u8);
            Json.Reset();
            _offsets[choice] = Logprobs.WriteCompletion(Json, piece.Tokens, logprobs!, _offsets[choice]);
            Json.Flush();
            Write(",\"finish_reason\":null"u8);
        }
        else
        {
            Write(",\"logprobs\":null,\"finish_reason\":null"u8);
        }

        EndChunk();
    }
}
