using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Sends outputs as they come, or collected; and what went wrong in the form that the client can still read.</summary>
internal static class Answering
{
    /// <summary>
    /// The headers go out with the first piece, so that what fails before it has a status of its own. Every piece is flushed: a reader that
    /// does not read holds its own generation only.
    /// </summary>
    public static async Task StreamAsync(HttpContext context, AnswerStream stream, IReadOnlyList<Output> outputs, int outputsPerPrompt,
        CancellationTokenSource cancelled)
    {
        var pipe = context.Response.BodyWriter;
        var begun = new bool[outputs.Count];
        using var turn = outputs.Count > 1 ? new SemaphoreSlim(1) : null;
        try
        {
            var finishes = await Outputs.ReadAsync(outputs, turn is null ? WriteAsync : WriteInTurnAsync, cancelled);
            stream.Usage(Usage.Of(finishes, outputsPerPrompt));
            stream.Done();
        }
        catch (EngineException exception) when (context.Response.HasStarted)
        {
            stream.Error(OpenAiError.Failed(exception.Message));
        }

        await pipe.FlushAsync(context.RequestAborted);

        async ValueTask WriteInTurnAsync(int choice, GenerationPiece piece, CancellationToken cancellationToken)
        {
            await turn!.WaitAsync(cancellationToken);
            try
            {
                await WriteAsync(choice, piece, cancellationToken);
            }
            finally
            {
                turn.Release();
            }
        }

        async ValueTask WriteAsync(int choice, GenerationPiece piece, CancellationToken cancellationToken)
        {
            if (!begun[choice])
            {
                begun[choice] = true;
                if (!context.Response.HasStarted)
                {
                    context.Response.ContentType = AnswerStream.ContentType;
                    context.Response.Headers.CacheControl = "no-cache";
                }

                stream.Begin(choice);
            }

            stream.Piece(choice, piece);
            if (piece.Finish is { } finish)
                stream.Finish(choice, finish.Reason);
            await pipe.FlushAsync(cancellationToken);
        }
    }

    public static async Task<IReadOnlyList<CollectedOutput>> CollectAsync(IReadOnlyList<Output> outputs, bool keepTokens,
        CancellationTokenSource cancelled)
    {
        var collected = outputs.Select(_ => new CollectedOutput(keepTokens)).ToList();
        await Outputs.ReadAsync(outputs, Take, cancelled);
        return collected;

        ValueTask Take(int choice, GenerationPiece piece, CancellationToken cancellationToken)
        {
            collected[choice].Take(piece);
            return ValueTask.CompletedTask;
        }
    }
}
