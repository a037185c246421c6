using System.CommandLine;

namespace Cairn.Cli.CommandLine;

/// <summary>A command of <c>cairn</c>: its words in the constructor, its work in <see cref="RunAsync"/>.</summary>
internal abstract class CairnCommand : Command
{
    /// <param name="name">The verb or noun.</param>
    /// <param name="summary">One sentence.</param>
    /// <param name="example">A command line that works, shown in the help.</param>
    protected CairnCommand(string name, string summary, string example)
        : base(name, summary)
    {
        Example = example;
        SetAction(async (line, cancellationToken) =>
        {
            using var context = new CommandContext(line);
            return await RunAsync(context, cancellationToken);
        });
    }

    /// <summary>Command lines that work, one per line.</summary>
    public string Example { get; }

    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    protected abstract Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken);
}
