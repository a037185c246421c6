using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Certificates;

internal sealed class CertificatesCommand : CairnCommand
{
    public CertificatesCommand() : base("certificates", "List the server's certificates: whose they are, until when, and what keeps the next from coming.", "cairn certificates")
    {
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var page = await context.Api.GetAsync<Page<CertificateView>>("certificates", cancellationToken);
        context.Output.Write(page.Items, list => Print(context.Output, list));
        return ExitCodes.Success;
    }

    private static void Print(Output output, IReadOnlyList<CertificateView> certificates)
    {
        if (certificates.Count == 0)
        {
            output.Note("No certificates: the server answers in the clear, on loopback. docs/tls.md tells how to give it some.");
            return;
        }
        var table = Output.NewTable("NAMES~", "ENDS", "RENEWS", "FROM~", "PROBLEM~");
        foreach (var one in certificates)
        {
            table.AddRow(Words.Escape(string.Join(", ", one.Names)), $"{one.Ends:yyyy-MM-dd}", one.RenewsAt is { } at ? $"{at:yyyy-MM-dd}" : "–", Words.Escape(one.Source ?? "–"),
                Words.Escape(one.Problem ?? ""));
        }
        output.Table(table);
    }
}
