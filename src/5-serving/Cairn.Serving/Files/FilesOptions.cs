namespace Cairn.Serving.Files;

/// <summary>What clients may keep below <c>/v1/files</c>.</summary>
public sealed class FilesOptions
{
    /// <summary>The largest file taken, bytes; default 512 MiB, as OpenAI's.</summary>
    public long MostBytes { get; set; } = 512L << 20;

    /// <summary>Bytes of all of a project's files; default 10 GiB. A file beyond it is refused.</summary>
    public long MostBytesPerProject { get; set; } = 10L << 30;

    /// <summary>Files of a project; 1 to 10,000,000, default 10,000. One more is refused.</summary>
    public int MostPerProject { get; set; } = 10_000;

    /// <summary>Uploads at once; 1 to 10,000, default 16. One more is told to come again.</summary>
    public int UploadsAtOnce { get; set; } = 16;

    /// <summary>The folder in which a file lies while it comes in; default the system's for temporary files. A file that is there outlives no process.</summary>
    public string SpoolFolder { get; set; } = Path.GetTempPath();

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (MostBytes < 1)
            errors.Add($"Files: a file (--file-size) has at most {MostBytes} bytes; expected at least 1.");
        if (MostBytesPerProject < MostBytes)
            errors.Add($"Files: those of a project (--files-size) have at most {MostBytesPerProject} bytes; expected no less than one may have, which is {MostBytes}.");
        if (MostPerProject is < 1 or > 10_000_000)
            errors.Add($"Files: a project has at most {MostPerProject} (--files); expected 1 to 10000000.");
        if (UploadsAtOnce is < 1 or > 10_000)
            errors.Add($"Files: {UploadsAtOnce} uploads at once (--uploads); expected 1 to 10000.");
        if (!Directory.Exists(SpoolFolder))
            errors.Add($"Files: there is no folder {SpoolFolder} (--spool); name one in which files lie while they come in.");
        return errors;
    }
}
