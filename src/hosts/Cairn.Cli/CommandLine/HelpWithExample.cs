using System.CommandLine;
using System.CommandLine.Invocation;

namespace Cairn.Cli.CommandLine;

/// <summary>
/// The library's help, and after it the command's example. The library lists the arguments of the commands above too, which this command
/// does not take: they are hidden.
/// </summary>
internal sealed class HelpWithExample(SynchronousCommandLineAction help) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        foreach (var argument in Above(parseResult.CommandResult.Command).SelectMany(command => command.Arguments))
            argument.Hidden = true;
        var result = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is CairnCommand { Example: { } example })
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Example:");
            foreach (var line in example.Split('\n'))
                output.WriteLine("  " + line);
            output.WriteLine();
        }

        return result;
    }

    private static IEnumerable<Command> Above(Symbol command) =>
        command.Parents.OfType<Command>().SelectMany(parent => Above(parent).Prepend(parent));
}
