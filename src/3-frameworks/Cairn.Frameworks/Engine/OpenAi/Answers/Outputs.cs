using Cairn.Frameworks.Engine.Metrics;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>One output to read: how it is read, and who measures it.</summary>
internal sealed record Output(Func<CancellationToken, IAsyncEnumerable<GenerationPiece>> Read, OutputTiming Timing);

/// <summary>Takes a piece of an output; the next of that output is read when it is done, those of others meanwhile.</summary>
internal delegate ValueTask TakePiece(int choice, GenerationPiece piece, CancellationToken cancellationToken);

/// <summary>Reads the outputs of one request together. Where one fails, the others are cancelled.</summary>
internal static class Outputs
{
    /// <returns>How each ended, in their order.</returns>
    /// <exception cref="EngineException">An output failed, or was ended by the engine.</exception>
    public static async Task<IReadOnlyList<GenerationFinish>> ReadAsync(
        IReadOnlyList<Output> outputs, TakePiece take, CancellationTokenSource cancelled)
    {
        if (outputs.Count == 1)
            return [await ReadOneAsync(outputs[0], 0, take, cancelled)];
        return await Task.WhenAll(outputs.Select((output, choice) => ReadOneAsync(output, choice, take, cancelled)));
    }

    private static async Task<GenerationFinish> ReadOneAsync(Output output, int choice, TakePiece take, CancellationTokenSource cancelled)
    {
        try
        {
            await foreach (var piece in output.Read(cancelled.Token))
            {
                output.Timing.OnPiece(piece);
                if (piece.Finish is { Reason: FinishReason.Cancelled })
                {
                    cancelled.Token.ThrowIfCancellationRequested();
                    throw new EngineException(
                        "The engine ended the generation before it was complete, as it does when the model is unloaded.");
                }

                await take(choice, piece, cancelled.Token);
                if (piece.Finish is { } finish)
                    return finish;
            }

            throw new EngineException("The generation ended without saying why.");
        }
        catch (Exception exception)
        {
            output.Timing.OnEnd(exception is OperationCanceledException ? RequestEnd.Abort : RequestEnd.Error);
            await cancelled.CancelAsync();
            throw;
        }
    }
}
