namespace Cairn.Serving.Batches;

/// <summary>What is to be done for a batch.</summary>
internal enum BatchStep
{
    /// <summary>Read its input and judge it.</summary>
    Validate,

    /// <summary>Run the lines that have no result.</summary>
    Run,

    /// <summary>Write its files and end it.</summary>
    Finish,
}

/// <summary>What comes next; pure.</summary>
internal static class BatchTurn
{
    /// <returns>The step, and what the batch becomes by it where that is an end.</returns>
    public static (BatchStep Step, BatchPhase? EndsAs) Decide(BatchRow batch, DateTimeOffset now) => batch.Phase switch
    {
        BatchPhase.Cancelling => (BatchStep.Finish, BatchPhase.Cancelled),
        BatchPhase.Finalizing => (BatchStep.Finish, batch.EndsAs ?? BatchPhase.Completed),
        BatchPhase.Validating or BatchPhase.InProgress when now >= batch.ExpiresAt => (BatchStep.Finish, BatchPhase.Expired),
        BatchPhase.Validating => (BatchStep.Validate, null),
        BatchPhase.InProgress when batch.Completed + batch.Failed >= batch.Total => (BatchStep.Finish, BatchPhase.Completed),
        BatchPhase.InProgress => (BatchStep.Run, null),
        _ => throw new ArgumentException($"The batch {batch.Id} has ended as {batch.Phase}; expected one that has not.", nameof(batch)),
    };
}
