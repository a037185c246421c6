namespace Cairn.Serving.Files;

/// <summary>What clients may keep below <c>/v1/files</c>.</summary>
public sealed class FilesOptions
{
    /// <summary>The largest file taken, bytes; default 512 MiB, as OpenAI's.</summary>
    public long MostBytes { get; set; } = 512L << 20;

    /// <summary>Bytes of all of a project's files; default 10 GiB. A file beyond it is refused.</summary>
    public long MostBytesPerProject { get; set; } = 10L << 30;

    /// <summary>Files of a project; default 10,000. One more is refused.</summary>
    public int MostPerProject { get; set; } = 10_000;

    /// <summary>Uploads at once; default 16. One more is told to come again.</summary>
    public int UploadsAtOnce { get; set; } = 16;

    /// <summary>The folder in which a file lies while it comes in; default the system's for temporary files. A file that is there outlives no process.</summary>
    public string SpoolFolder { get; set; } = Path.GetTempPath();

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (MostBytes < 1 || MostBytesPerProject < MostBytes)
            errors.Add($"A file of at most {MostBytes} bytes, and {MostBytesPerProject} per project; expected at least 1, and no less per project than per file.");
        if (MostPerProject < 1 || UploadsAtOnce < 1)
            errors.Add($"{MostPerProject} files per project and {UploadsAtOnce} uploads at once; expected at least 1 of both.");
        return errors;
    }
}
