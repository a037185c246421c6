using Cairn.Contracts.Api;
using Cairn.Serving.Certificates.Acme;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.Serving.Certificates;

/// <summary>Certificates as people see them: those that answer, and names that wait for one.</summary>
internal sealed class CertificateReading(CertificateBook book, CertificateOptions options, IServiceProvider services)
{
    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/certificates", async (CertificateReading reading, CancellationToken cancellationToken) =>
        ApiAnswers.Json(new Page<CertificateView>(await reading.ListAsync(cancellationToken), null)))
        .WithTags("Certificates").WithName("ListCertificates").Produces<Page<CertificateView>>();

    private async Task<IReadOnlyList<CertificateView>> ListAsync(CancellationToken cancellationToken)
    {
        var renewal = services.GetService<AcmeRenewal>();
        var names = renewal is null ? [] : await renewal.NamesAsync(cancellationToken);
        var views = book.All.Select(certificate => new CertificateView
        {
            Names = certificate.Names, Source = Path.GetFileName(certificate.Source), Begins = certificate.Begins, Ends = certificate.Ends,
            RenewsAt = IsAcmes(certificate) && names.Contains(certificate.Names[0]) ? AcmeSchedule.Renewal(certificate.Names[0], certificate.Begins, certificate.Ends) : null,
            Problem = renewal?.StandingOf(certificate.Names[0])?.Problem,
        });
        var waiting = names.Where(name => book.Find(name)?.Covers(name) != true)
            .Select(name => new CertificateView { Names = [name], Problem = renewal!.StandingOf(name)?.Problem ?? "It is being asked for." });
        return [.. views, .. waiting];
    }

    private bool IsAcmes(ServedCertificate certificate) => options.Acme is { } acme && Path.GetDirectoryName(certificate.Source) == acme.CertificateFolder;
}
