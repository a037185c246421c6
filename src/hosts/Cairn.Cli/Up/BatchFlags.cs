using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Units;
using Cairn.Serving.Batches;
using Cairn.Serving.Files;

namespace Cairn.Cli.Up;

/// <summary>What clients may keep below <c>/v1/files</c> and run as batches. What is not said is as the options say.</summary>
internal sealed class BatchFlags
{
    private static readonly BatchOptions s_batches = new();
    private static readonly FilesOptions s_files = new();

    private readonly Option<int> _lines = Number("--batch-lines", "Lines of batches under way at once in this server.", s_batches.LinesAtOnce);
    private readonly Option<int> _linesEach = Number("--batch-lines-each", "Lines of one batch under way at once.", s_batches.LinesAtOncePerBatch);
    private readonly Option<int> _linesPerReplica = Number("--batch-lines-per-replica", "Lines at once for each replica that tells no limit of its own.", s_batches.LinesPerReplica);
    private readonly Option<int> _open = Number("--batch-open", "Batches of a project that have not ended.", s_batches.MostOpenPerProject);
    private readonly Option<int> _inputLines = Number("--batch-input-lines", "Lines of a batch's input.", s_batches.MostLines);
    private readonly Option<string> _inputSize = Size("--batch-input-size", "The largest input of a batch.", s_batches.MostInputBytes);
    private readonly Option<string> _answerSize = Size("--batch-answer-size", "The largest answer that a batch keeps.", s_batches.MostAnswerBytes);
    private readonly Option<int> _discount = Number("--batch-discount", "Percent off the price of tokens in batches.", s_batches.DiscountPercent);
    private readonly Option<double> _kept = new("--batch-kept")
    {
        Description = "Days that an ended batch is shown.", DefaultValueFactory = _ => s_batches.KeptFor.TotalDays, HelpName = "DAYS",
    };

    private readonly Option<string> _fileSize = Size("--file-size", "The largest file that clients may keep.", s_files.MostBytes);
    private readonly Option<string> _filesSize = Size("--files-size", "All files of a project together.", s_files.MostBytesPerProject);
    private readonly Option<int> _files = Number("--files", "Files of a project.", s_files.MostPerProject);
    private readonly Option<int> _uploads = Number("--uploads", "Files that come in at once.", s_files.UploadsAtOnce);
    private readonly Option<string?> _spool = new("--spool") { Description = "Where a file lies while it comes in; default the system's folder for temporary files.", HelpName = "FOLDER" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _lines, _linesEach, _linesPerReplica, _open, _inputLines, _inputSize, _answerSize, _discount, _kept, _fileSize, _filesSize, _files, _uploads, _spool })
            command.Options.Add(option);
    }

    /// <param name="context">The parsed line.</param>
    /// <param name="errors">Takes one sentence for every size that cannot be read.</param>
    public BatchOptions Batches(CommandContext context, List<string> errors) => new()
    {
        LinesAtOnce = context.Get(_lines),
        LinesAtOncePerBatch = context.Get(_linesEach),
        LinesPerReplica = context.Get(_linesPerReplica),
        MostOpenPerProject = context.Get(_open),
        MostLines = context.Get(_inputLines),
        MostInputBytes = Bytes(context, _inputSize, s_batches.MostInputBytes, errors),
        MostAnswerBytes = (int)Math.Min(int.MaxValue, Bytes(context, _answerSize, s_batches.MostAnswerBytes, errors)),
        DiscountPercent = context.Get(_discount),
        KeptFor = Days(context.Get(_kept)),
    };

    /// <inheritdoc cref="Batches"/>
    public FilesOptions Files(CommandContext context, List<string> errors) => new()
    {
        MostBytes = Bytes(context, _fileSize, s_files.MostBytes, errors),
        MostBytesPerProject = Bytes(context, _filesSize, s_files.MostBytesPerProject, errors),
        MostPerProject = context.Get(_files),
        UploadsAtOnce = context.Get(_uploads),
        SpoolFolder = context.Get(_spool) is { } folder ? Path.GetFullPath(folder) : s_files.SpoolFolder,
    };

    private static Option<int> Number(string name, string description, int standard) =>
        new(name) { Description = description, DefaultValueFactory = _ => standard, HelpName = "N" };

    private static Option<string> Size(string name, string description, long standard) =>
        new(name) { Description = description, DefaultValueFactory = _ => ByteSize.Format(standard), HelpName = "SIZE" };

    // A size that cannot be read leaves the usual one, so that what else is wrong is told too.
    private static long Bytes(CommandContext context, Option<string> option, long standard, List<string> errors)
    {
        if (ByteSize.TryParse(context.Get(option)!, out var bytes))
            return bytes;
        errors.Add($"{option.Name} {context.Get(option)}: expected a size, such as 200MiB or 1GiB.");
        return standard;
    }

    // What no time span can hold is out of the options' range all the same.
    private static TimeSpan Days(double days) => TimeSpan.FromDays(double.IsNaN(days) ? 0 : Math.Clamp(days, -1, 1_000_000));
}
