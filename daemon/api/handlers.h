#pragma once

#include "daemon/api/http.h"
#include "daemon/api/server.h"

// One function a route; each may block on the disk, and runs on a worker of the server's pool.
namespace ingot::api {

Response get_version(const Services& services, const Request& request);
Response get_doctor(const Services& services, const Request& request);
Response get_metrics(const Services& services, const Request& request);

Response post_context(const Services& services, const Request& request);
Response put_blob(const Services& services, const Request& request);

Response post_job(const Services& services, const Request& request);
Response list_jobs(const Services& services, const Request& request);
Response get_job(const Services& services, const Request& request);
Response cancel_job(const Services& services, const Request& request);
Response retry_job(const Services& services, const Request& request);
Response attach_client(const Services& services, const Request& request);
Response get_events(const Services& services, const Request& request);

Response list_steps(const Services& services, const Request& request);
Response post_plan(const Services& services, const Request& request);

Response list_artifacts(const Services& services, const Request& request);
Response get_artifact(const Services& services, const Request& request);
Response delete_artifact(const Services& services, const Request& request);

Response post_sweep(const Services& services, const Request& request);
Response forecast_sweep(const Services& services, const Request& request);
Response list_sweeps(const Services& services, const Request& request);
Response get_sweep(const Services& services, const Request& request);
Response cancel_sweep(const Services& services, const Request& request);
Response retry_sweep(const Services& services, const Request& request);

Response list_schedules(const Services& services, const Request& request);
Response run_schedule(const Services& services, const Request& request);
Response pause_schedule(const Services& services, const Request& request);
Response resume_schedule(const Services& services, const Request& request);

Response list_images(const Services& services, const Request& request);
Response push_image(const Services& services, const Request& request);
Response get_blob(const Services& services, const Request& request);

Response get_cache(const Services& services, const Request& request);
Response prune_cache(const Services& services, const Request& request);

// A request by a client whose API this daemon does not serve (header Ingot-Api).
std::optional<Response> refuse_api(const Services& services, const Request& request);

}  // namespace ingot::api
