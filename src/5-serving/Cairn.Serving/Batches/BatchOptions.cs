using System.Globalization;

namespace Cairn.Serving.Batches;

/// <summary>How batches of requests are run.</summary>
public sealed class BatchOptions
{
    /// <summary>Lines under way at once in this server, of all batches; 1 to 10,000, default 16. Lines also keep out of the way of other requests: see <see cref="LinesPerReplica"/>.</summary>
    public int LinesAtOnce { get; set; } = 16;

    /// <summary>Lines under way at once of one batch; 1 to 10,000, default 8.</summary>
    public int LinesAtOncePerBatch { get; set; } = 8;

    /// <summary>Lines at once for each ready replica whose own limit is not known; 1 to 10,000, default 8.</summary>
    public int LinesPerReplica { get; set; } = 8;

    /// <summary>Batches that have lines under way at once; 1 to 10,000, default 50, the oldest first.</summary>
    public int BatchesAtOnce { get; set; } = 50;

    /// <summary>Batches of a project that have not ended; 1 to 100,000, default 100. One more is told to come again.</summary>
    public int MostOpenPerProject { get; set; } = 100;

    /// <summary>Lines of an input file; 1 to 1,000,000, default 50,000, as OpenAI's.</summary>
    public int MostLines { get; set; } = 50_000;

    /// <summary>Bytes of an input file; 1 to 16 GiB, default 200 MiB, as OpenAI's.</summary>
    public long MostInputBytes { get; set; } = 200L << 20;

    /// <summary>One line of the input, bytes; 1 to 64 MiB, default 8 MiB, the gateway's limit of a body.</summary>
    public int MostLineBytes { get; set; } = 8 << 20;

    /// <summary>One answer, bytes; 1 to 64 MiB, default 4 MiB. A larger one is charged, and its line fails.</summary>
    public int MostAnswerBytes { get; set; } = 4 << 20;

    /// <summary>What is taken off the price of tokens, percent, 0 to 100; default 0.</summary>
    public int DiscountPercent { get; set; }

    /// <summary>How long lines that are under way may go on after their batch was cancelled or is over; default 10 minutes.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a batch that has ended is shown; a minute to 10 years, default 30 days.</summary>
    public TimeSpan KeptFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Check("lines at once (--batch-lines)", LinesAtOnce, 1, 10_000);
        Check("lines at once of one batch (--batch-lines-each)", LinesAtOncePerBatch, 1, 10_000);
        Check("lines at once for each replica (--batch-lines-per-replica)", LinesPerReplica, 1, 10_000);
        Check("batches at once", BatchesAtOnce, 1, 10_000);
        Check("open batches of a project (--batch-open)", MostOpenPerProject, 1, 100_000);
        Check("lines of an input (--batch-input-lines)", MostLines, 1, 1_000_000);
        Check("bytes of an input (--batch-input-size)", MostInputBytes, 1, 16L << 30);
        Check("bytes of a line", MostLineBytes, 1, 64 << 20);
        Check("bytes of an answer (--batch-answer-size)", MostAnswerBytes, 1, 64 << 20);
        Check("percent off the price (--batch-discount)", DiscountPercent, 0, 100);
        Check("days that ended ones are shown (--batch-kept)", KeptFor.TotalDays, 1 / 1440.0, 3650);
        if (Patience < TimeSpan.Zero)
            errors.Add($"Batches: the patience with lines under way is {Patience}; expected none or more.");
        return errors;

        void Check(string what, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"Batches: {what} are {value}; expected {least:0.#####} to {most:0.#####}."));
        }
    }
}
