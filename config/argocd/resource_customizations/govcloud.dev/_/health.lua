-- Health of the records of govcloud.dev, and of Regions, for Argo CD. One script for every kind of the group: all
-- records speak through the same conditions. It needs no library beyond Lua's base (no useOpenLibs).
--
-- Degraded     somebody must mend something first (Stalled), or an obligation is overdue (OnTime=False)
-- Healthy      at rest as it should be; what comes next is in the message
-- Suspended    waiting for a person: the department, the authority, or the provider's hand
-- Progressing  the operator is at work, or has not looked yet

local function say(status, message)
  return { status = status, message = message }
end

-- settings without a status
if obj.kind == "WorkCalendar" or obj.kind == "ServiceCatalog" then
  return say("Healthy", "已发布 / published")
end

local metadata = type(obj.metadata) == "table" and obj.metadata or {}
local status = obj.status
if metadata.deletionTimestamp ~= nil then
  return say("Progressing", "正在删除 / being deleted")
end
if type(status) ~= "table" or type(status.conditions) ~= "table" then
  return say("Progressing", "管控程序尚未处理 / the operator has not looked yet")
end
if status.observedGeneration == nil or status.observedGeneration ~= metadata.generation then
  return say("Progressing", "已修改，管控程序尚未处理 / changed; the operator has not looked since")
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  if type(condition) == "table" and condition.type ~= nil then
    conditions[condition.type] = condition
  end
end

local function is(name, value)
  return conditions[name] ~= nil and conditions[name].status == value
end

local function told(name)
  local condition = conditions[name] or {}
  return tostring(condition.message or condition.reason or status.phase or name)
end

-- who is waited on, for what, until when
local parties = { Department = "使用部门", Authority = "主管部门", Provider = "服务提供方" }
local party = parties[status.waitingOn]
local waits = ""
if party ~= nil then
  waits = " [等待" .. party .. " / waiting on the " .. status.waitingOn
  if status.waitingFor ~= nil then
    waits = waits .. ": " .. tostring(status.waitingFor)
  end
  if status.dueDate ~= nil then
    waits = waits .. ", " .. tostring(status.dueDate)
  end
  waits = waits .. "]"
end

if is("Stalled", "True") then
  return say("Degraded", told("Stalled") .. waits)
end
if is("OnTime", "False") then
  return say("Degraded", told("OnTime") .. waits)
end
if is("Ready", "True") then
  return say("Healthy", told("Ready") .. waits)
end
if not is("Reconciling", "True") then
  return say("Progressing", told("Reconciling") .. waits)
end

-- what the operator itself does on the provider's account is progress, not waiting
local acts = { Provision = true, Change = true, Reclaim = true }
local by_operator = status.waitingOn == "Provider" and acts[status.waitingFor]
  and conditions.Reconciling.reason ~= "AwaitingGrant"
if party ~= nil and not by_operator then
  return say("Suspended", told("Reconciling") .. waits)
end
return say("Progressing", told("Reconciling") .. waits)
