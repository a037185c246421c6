namespace Cairn.Fleet.Logs;

/// <summary>How much of the tasks' logs is kept, and for how long.</summary>
public sealed class LogOptions
{
    /// <summary>The folder of all logs: <c>SHARD/JOB-ATTEMPT-RANK.log</c>, the shard being the last three digits of the job's id.</summary>
    public string Folder { get; set; } = "";

    /// <summary>
    /// The most bytes kept of one rank of one attempt, 64 KiB to 1 TiB; default 1 GiB. What comes after is dropped, and the log's last line
    /// says so.
    /// </summary>
    public long MaxTaskBytes { get; set; } = 1L << 30;

    /// <summary>Logs that nothing was written to for this long are deleted, in days; 1 to 3,650, default 30.</summary>
    public int RetainDays { get; set; } = 30;

    /// <summary>
    /// The most bytes of all logs together; default 50 GiB. Beyond it the longest quiet jobs' logs go first, none younger than an hour.
    /// </summary>
    public long MaxTotalBytes { get; set; } = 50L << 30;

    /// <summary>
    /// Log files kept open, 16 to 100,000; default 1,024. More files than this work too, each opened anew when it is written.
    /// </summary>
    public int OpenFiles { get; set; } = 1_024;

    /// <summary>
    /// How long after a job's end its readers wait for bytes that the node has yet to send, in seconds; 0 to 600, default 30. A machine
    /// that died never sends them.
    /// </summary>
    public int EndGraceSeconds { get; set; } = 30;

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(Folder))
            errors.Add("Folder of the logs is empty; give a folder.");
        Check(nameof(MaxTaskBytes), MaxTaskBytes, 64 << 10, 1L << 40);
        Check(nameof(RetainDays), RetainDays, 1, 3_650);
        Check(nameof(MaxTotalBytes), MaxTotalBytes, 1 << 20, long.MaxValue);
        Check(nameof(OpenFiles), OpenFiles, 16, 100_000);
        Check(nameof(EndGraceSeconds), EndGraceSeconds, 0, 600);
        return errors;

        void Check(string name, long value, long least, long most)
        {
            if (value < least || value > most)
                errors.Add($"{name} is {value}; expected {least} to {most}.");
        }
    }
}
