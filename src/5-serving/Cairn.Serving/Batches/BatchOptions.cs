namespace Cairn.Serving.Batches;

/// <summary>How batches of requests are run.</summary>
public sealed class BatchOptions
{
    /// <summary>Lines under way at once in this server, of all batches; default 16. Lines also keep out of the way of other requests: see <see cref="LinesPerReplica"/>.</summary>
    public int LinesAtOnce { get; set; } = 16;

    /// <summary>Lines under way at once of one batch; default 8.</summary>
    public int LinesAtOncePerBatch { get; set; } = 8;

    /// <summary>Lines at once for each ready replica whose own limit is not known; default 8.</summary>
    public int LinesPerReplica { get; set; } = 8;

    /// <summary>Batches that have lines under way at once; default 50, the oldest first.</summary>
    public int BatchesAtOnce { get; set; } = 50;

    /// <summary>Batches of a project that have not ended; default 100. One more is told to come again.</summary>
    public int MostOpenPerProject { get; set; } = 100;

    /// <summary>Lines of an input file; default 50,000, as OpenAI's.</summary>
    public int MostLines { get; set; } = 50_000;

    /// <summary>Bytes of an input file; default 200 MiB, as OpenAI's.</summary>
    public long MostInputBytes { get; set; } = 200L << 20;

    /// <summary>One line of the input, bytes; default 8 MiB, the gateway's limit of a body.</summary>
    public int MostLineBytes { get; set; } = 8 << 20;

    /// <summary>One answer, bytes; default 4 MiB. A larger one is charged, and its line fails.</summary>
    public int MostAnswerBytes { get; set; } = 4 << 20;

    /// <summary>What is taken off the price of tokens, percent, 0 to 100; default 0.</summary>
    public int DiscountPercent { get; set; }

    /// <summary>How long lines that are under way may go on after their batch was cancelled or is over; default 10 minutes.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a batch that has ended is shown; default 30 days.</summary>
    public TimeSpan KeptFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (Math.Min(Math.Min(LinesAtOnce, LinesAtOncePerBatch), Math.Min(LinesPerReplica, BatchesAtOnce)) < 1)
            errors.Add($"Lines at once are {LinesAtOnce}, {LinesAtOncePerBatch} per batch, {LinesPerReplica} per replica, of {BatchesAtOnce} batches; expected at least 1 of each.");
        if (MostOpenPerProject < 1 || MostLines < 1 || MostInputBytes < 1 || MostLineBytes < 1 || MostAnswerBytes < 1)
            errors.Add("A limit of batches is less than 1.");
        if (DiscountPercent is < 0 or > 100)
            errors.Add($"The discount is {DiscountPercent} %; expected 0 to 100.");
        if (Patience < TimeSpan.Zero || KeptFor <= TimeSpan.Zero)
            errors.Add($"The patience is {Patience}, and batches are kept for {KeptFor}; expected neither to be negative.");
        return errors;
    }
}
